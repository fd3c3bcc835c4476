"""Which date of a sentence belongs to which value or event of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.dates import Precision, bears_out
from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.day_order import in_order
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quantity import same_value

if TYPE_CHECKING:
    from clinical.domain.dates import WrittenDate
    from clinical.domain.gate.mention import DatePlace, Figure, Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_GOES_ON = frozenset({"having", "experiencing", "currently", "presently", "present", "now", "still", "ongoing"})
_NEAR = 4
_FIRST_YEAR, _LAST_YEAR = 1950, 2050
_DAYS = frozenset({"today", "yesterday", "tomorrow", "tonight"})
_OTHER_TIMES = frozenset({"ago", "last", "next"})
# Words for something that happens on a day.
EVENTS = frozenset(
    f"word:{name}"
    for name in (
        "increase", "decrease", "start", "stop", "switch", "admission", "discharge", "diagnose", "resolve", "refer",
    )
)  # fmt: skip


def dates_of_figure(figure: Figure, reading: Reading) -> list[WrittenDate]:
    """Return the date of a value, [] if another value of the same thing has the only one near: "128 (136 in May)"."""
    place = _date_at(figure.place, figure.segment, reading)
    if place is None:
        return []
    first, last = sorted((figure.place, place.place))
    taken = place.place < figure.place and place.place > min(one.place for one in reading.figures)
    rival = any(
        (first < other.place < last or (taken and other.place < place.place))
        and other.heads & figure.heads
        and (other.quantity.unit == figure.quantity.unit or not other.quantity.unit)
        and not same_value(other.quantity, figure.quantity)
        for other in reading.figures
    )
    return [] if rival else [place.date]


def dates_of_mention(mention: Mention, reading: Reading) -> list[WrittenDate]:
    """Return the date nearest to what happened."""
    place = _date_at(mention.first, mention.segment, reading)
    return [] if place is None else [place.date]


def _date_at(at: int, segment: int, reading: Reading) -> DatePlace | None:
    days = [place for place in reading.dates if place.date.precision is not Precision.TIME] or list(reading.dates)
    here = [place for place in days if place.segment == segment]
    if len(here) == 1:
        return here[0]
    among = here or days
    if not among:
        return None
    things = [one.place for one in reading.figures] or [one.first for one in reading.mentions if one.clinical]
    before = [place for place in among if place.place < at]
    after = [place for place in among if place.place > at]
    # "On 2 May 128, on 5 May 136" or "128 on 2 May, 136 on 5 May": what comes first in the sentence tells.
    date_first = among[0].place < min(things, default=at)
    if date_first:
        return before[-1] if before else after[0]
    return after[0] if after else before[-1]


def date_of_value(claim: Reading, window: Window) -> Reason | None:
    """A value keeps its own date."""
    if not claim.dates:
        return None
    for figure in claim.figures:
        wanted = dates_of_figure(figure, claim)
        held = [
            [in_order(one, window.order) for one in dates_of_figure(source, reading)] if reading.dates else None
            for reading in window.readings
            for source in reading.figures
            if same_value(figure.quantity, source.quantity)
        ]
        if wanted and held and not any(own is None or _meets(wanted, own) for own in held):
            return Reason.DATE_NOT_IN_SOURCE
    return None


def date_of_event(claim: Reading, window: Window) -> Reason | None:
    """What happened on a day happened on that day in the evidence too, and in a sentence, not a title."""
    several = sum(len(reading.dates) for reading in window.readings) > 1
    for place in claim.dates:
        if place.date.precision is Precision.TIME and len(claim.dates) > 1:
            continue  # the hour of a day that is checked itself
        said = [
            one
            for one in claim.mentions
            if one.kind not in {Kind.DRUG, Kind.TEST, Kind.VITAL} and place.date in dates_of_mention(one, claim)
        ]
        borne = [one for one in said if _on_that_day(one, place.date, window)]
        events = [one for one in said if one.key in EVENTS and one.key not in window.computed]
        if any(one not in borne for one in events) or (several and said and not borne):
            return Reason.DATE_NOT_IN_SOURCE
    return None


def _on_that_day(mention: Mention, date: WrittenDate, window: Window) -> bool:
    held = [(one, reading) for reading in window.readings for one in reading.mentions if same_thing(mention, one)]
    return (not held and mention.key not in EVENTS) or any(
        not reading.dates or _meets([date], [in_order(day, window.order) for day in dates_of_mention(one, reading)])
        for one, reading in held
    )


def day_named(claim: Reading, window: Window) -> Reason | None:
    """What was today was not on a day, or so long ago, that the evidence gives otherwise."""
    said = {word.low for word in claim.words} & _DAYS
    if not said:
        return None
    for reading in window.readings:
        lows = {word.low for word in reading.words}
        dated = reading.dates or any(_FIRST_YEAR < one.quantity.value < _LAST_YEAR for one in reading.figures)
        if said & lows or not (dated or lows & (_DAYS | _OTHER_TIMES)):
            return None
    return Reason.DATE_NOT_IN_SOURCE


def _meets(wanted: list[WrittenDate], own: list[WrittenDate]) -> bool:
    return any(bears_out(mine, theirs) for mine in wanted for theirs in own)


def going_on(claim: Reading, window: Window) -> Reason | None:
    """What goes on now is not what the evidence dates in the past: "since the flare in 2023"."""
    lows = [word.low for word in claim.words]
    if not _GOES_ON & set(lows) or claim.dates:
        return None
    for mention in claim.mentions:
        held = [(one, reading) for reading in window.readings for one in reading.mentions if same_thing(mention, one)]
        dated = [
            any(place.segment == one.segment and abs(place.place - one.last) < _NEAR for place in reading.dates)
            for one, reading in held
        ]
        if held and all(dated) and (mention.clinical or mention.key == "word:episode"):
            return Reason.TIME_DIFFERS
    return None
