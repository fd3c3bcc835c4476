"""Values and frequencies that belong to something else in the same sentence of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.gate.changes import METRIC
from clinical.domain.gate.mention import TIMES
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, light_stems, word_list
from clinical.domain.lexicon.words import stem
from clinical.domain.quantity import same_value

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Figure
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_PLACES: Final = word_list("sites") | frozenset(f"w:{stem(word)}" for word in word_list("more_sites")) | {
    "word:right-coronary", "word:left-anterior-descending", "word:left-ventricle", "word:right-ventricle",
}  # fmt: skip
_FOR_LIFE: Final = frozenset({"lifelong", "life", "indefinitely"})
_WEEK: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_EVERY_DAY: Final = frozenset({"word:x-per-day", "word:twice-daily", "word:thrice-daily", "word:four-daily"})
_SELDOM: Final = frozenset(
    {
        "word:alternate-days",
        "word:weekly",
        "word:twice-weekly",
        "word:thrice-weekly",
        "word:fortnightly",
        "word:monthly",
    }
)


def duration_of_another(claim: Reading, window: Window) -> Reason | None:
    """Of several durations in a sentence, the one told is that of the same thing: "ventilated 36 h, CPAP 19 days"."""
    for figure in claim.figures:
        if figure.quantity.unit not in TIMES:
            continue
        wanted = _stems(figure, claim)
        for reading in window.readings:
            times = [one for one in reading.figures if _kind(one) == _kind(figure)]
            own = [len(wanted & _stems(one, reading)) for one in times if same_value(one.quantity, figure.quantity)]
            rivals = [
                len(wanted & _stems(one, reading)) for one in times if not same_value(one.quantity, figure.quantity)
            ]
            if own and not max(own) and rivals and max(rivals):
                return Reason.VALUE_OF_ANOTHER
    return None


def value_of_rival(claim: Reading, window: Window) -> Reason | None:
    """Of two values in one unit, the one told is not that of a clause which alone says what the sentence says."""
    for figure in claim.figures:
        unit = figure.quantity.unit
        if not unit or unit in TIMES or sum(one.quantity.unit == unit for one in claim.figures) > 1:
            continue
        wanted = _stems(figure, claim)
        for reading in window.readings:
            like = [one for one in reading.figures if one.quantity.unit == unit]
            own = [_stems(one, reading) for one in like if same_value(one.quantity, figure.quantity)]
            rivals = [_stems(one, reading) for one in like if not same_value(one.quantity, figure.quantity)]
            if len(own) == 1 and own[0] - wanted and any(one & wanted - own[0] and not one - wanted for one in rivals):
                return Reason.VALUE_OF_ANOTHER
    return None


def every_or_for(claim: Reading, window: Window) -> Reason | None:
    """Every two hours is not for two hours."""
    for figure in claim.figures:
        said = _before(figure, claim)
        if figure.quantity.unit not in TIMES or said not in {"every", "for"}:
            continue
        held = {
            _before(one, reading)
            for reading in window.readings
            for one in reading.figures
            if same_value(one.quantity, figure.quantity) and one.quantity.unit in TIMES
        }
        if held == {"every" if said == "for" else "for"}:
            return Reason.VALUE_OF_ANOTHER
    return None


def _before(figure: Figure, reading: Reading) -> str:
    return reading.words[figure.place - 1].low if figure.place else ""


def day_of_another(claim: Reading, window: Window) -> Reason | None:
    """Of two medicines each keeps its own day of the week; what is lifelong is the one that is said to be."""
    for mention in claim.mentions:
        said = _week_days(mention.segment, claim) if mention.clinical else frozenset()
        if not said:
            continue
        own = {
            one.segment: reading for reading in window.readings for one in reading.mentions if one.key == mention.key
        }
        told = frozenset().union(*(_week_days(segment, reading) for segment, reading in own.items()))
        others = frozenset().union(
            *(
                _week_days(one.segment, reading)
                for reading in window.readings
                for one in reading.mentions
                if one.kind is Kind.DRUG and one.key != mention.key
            )
        )
        if not told & said and (told or others & said):
            return Reason.DATE_NOT_IN_SOURCE
    return None


def _week_days(segment: int, reading: Reading) -> frozenset[str]:
    here = [word.low for at, word in enumerate(reading.words) if reading.segments[at] == segment]
    days = frozenset(low.removesuffix("s") for low in here if low.removesuffix("s") in _WEEK)
    return days | {"lifelong"} if _FOR_LIFE & set(here) else days


def place_of_value(claim: Reading, window: Window) -> Reason | None:
    """A value told of one place or thing is not that of another, beside which the evidence gives it."""
    if len(window.readings) != 1 or not claim.figures:
        return None
    reading = window.readings[0]
    for figure in claim.figures:
        named = {one.key for one in claim.mentions if one.segment == figure.segment and one.kind is Kind.WORD}
        own = [one for one in reading.figures if same_value(one.quantity, figure.quantity)]
        if len(own) != 1 or not named:
            continue
        here = {one.key for one in reading.mentions if one.segment == own[0].segment and one.kind is Kind.WORD}
        told = {one.key for one in claim.mentions}
        elsewhere = {one.key for one in reading.mentions if one.segment != own[0].segment} & _PLACES
        if named & elsewhere - here and (here - told) & _PLACES:
            return Reason.VALUE_OF_ANOTHER
    return None


def _kind(figure: Figure) -> str:
    return "time" if figure.quantity.unit in TIMES else METRIC.get(figure.quantity.unit, ("", 0))[0]


def _stems(figure: Figure, reading: Reading) -> frozenset[str]:
    return frozenset(
        word.stem
        for at, word in enumerate(reading.words)
        if reading.segments[at] == figure.segment and word.stem.isalpha() and word.stem not in light_stems()
    )


def as_seldom(claim: Reading, window: Window) -> Reason | None:
    """A medicine taken on alternate days or weekly is not told as taken daily."""
    if not any(one.kind is Kind.DRUG for one in claim.mentions) or not claim.keys & _EVERY_DAY or claim.keys & _SELDOM:
        return None
    for mention in claim.mentions:
        if mention.kind is not Kind.DRUG:
            continue
        for reading in window.readings:
            places = {one.segment for one in reading.mentions if one.key == mention.key}
            if any(one.key in _SELDOM and one.segment in places for one in reading.mentions):
                return Reason.VALUE_OF_ANOTHER
    return None
