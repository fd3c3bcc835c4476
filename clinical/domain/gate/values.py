"""Rules on numbers and dates: the right value, unit, date and specimen, of the right thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from clinical.domain.dates import bears_out
from clinical.domain.gate.changes import METRIC
from clinical.domain.gate.day_order import in_order
from clinical.domain.gate.mention import TIMES
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quantity import same_value, unit_borne_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from clinical.domain.gate.mention import Figure
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window
    from clinical.domain.quantity import Quantity

OTHER_SPECIMENS = frozenset(
    {"w:urin", "w:urinary", "w:csf", "w:stool", "w:pleural", "w:sputum", "w:ascit", "urinalysis"}
)
_SIDES = frozenset({"word:left", "word:right"})
_USUAL = {"heart-rate": "/min", "respiratory-rate": "/min", "oxygen-saturation": "%"}
_JOINING = frozenset({"on", "in", "at", "was", "is", "were", "are", "the", "a", "an", "of", "to", "as", "and"})


def numbers(claim: Reading, window: Window) -> Reason | None:
    """Each number with its unit is in the evidence, as a value of the same thing."""
    sources = [figure for place in range(len(window.readings)) for figure in _figures(window.readings, place)]
    years = {place.date.year for reading in window.readings for place in reading.dates}
    for figure in claim.figures:
        if figure.quantity.value in years and not figure.quantity.unit:
            continue  # "compared with 2021"
        reason = _number(figure, sources, dated=bool(claim.dates), told_as_past="past" in claim.tenses)
        if reason is Reason.VALUE_OF_ANOTHER and _without_rival(figure, sources):
            continue
        if reason is not None:
            return reason
    said, held = _counted(claim.figures), _counted(sources)
    # "3 by 2 by 3 cm" is not borne out by "0.4 by 2 by 3 cm".
    return Reason.NUMBER_NOT_IN_SOURCE if any(count > held[value] > 0 for value, count in said.items()) else None


def _without_rival(figure: Figure, sources: Sequence[Figure]) -> bool:
    """Return whether no clinical name owns a measured value, on either side, and the evidence has no other like it."""
    like = [one for one in sources if one.quantity.unit == figure.quantity.unit]
    return (
        bool(figure.quantity.unit)
        and not figure.counted
        and bool(like)
        and _plain(figure)
        and all(_plain(one) and same_value(one.quantity, figure.quantity) for one in like)
    )


def _figures(readings: Sequence[Reading], place: int) -> list[Figure]:
    """Return the figures of one sentence; "this happened 4 days ago" is of what the sentence before tells."""
    reading = readings[place]
    if not place or not reading.refers_back:
        return list(reading.figures)
    before = readings[place - 1].keys
    return [
        figure
        if any(one.clinical and one.key in figure.heads for one in reading.mentions)
        else replace(figure, wider=figure.wider | before)
        for figure in reading.figures
    ]


_OF_NUMBERS = (
    (frozenset({"negated", "unclear"}), Reason.NEGATION_DIFFERS),
    (frozenset({"uncertain"}), Reason.CERTAINTY_DIFFERS),
    (frozenset({"past"}), Reason.TIME_DIFFERS),
)


def _counted(figures: Sequence[Figure]) -> Counter[Decimal]:
    return Counter(figure.quantity.value for figure in figures)


def _usual_unit(figure: Figure, source: Figure) -> bool:
    """Return whether the unit is the only one this vital sign is written in, where the evidence leaves it out."""
    if figure.quantity.unit == "{times}" and not source.quantity.unit:
        return True
    return not source.quantity.unit and any(_USUAL.get(key) == figure.quantity.unit for key in figure.heads)


def _same(claim: Quantity, source: Quantity) -> bool:
    """Return whether two quantities have the same number, or are the same amount: 0.5 g is 500 mg."""
    return same_value(claim, source) or _same_amount(claim, source)


def _same_amount(claim: Quantity, source: Quantity) -> bool:
    one, two = METRIC.get(claim.unit), METRIC.get(source.unit)
    return (
        one is not None
        and two is not None
        and one[0] == two[0]
        and claim.value * one[1] == source.value * two[1]
        and claim.comparator == source.comparator
        and (claim.high or 0) * one[1] == (source.high or 0) * two[1]
    )


def _unit_agrees(claim: Figure, source: Figure, beside: Sequence[Figure]) -> bool:
    """Return whether the unit is the source's, or that of the same thing's other value in its sentence."""
    if unit_borne_out(claim.quantity, source.quantity) or _usual_unit(claim, source):
        return True
    if source.quantity.unit:
        return _same_amount(claim.quantity, source.quantity)
    return not source.counted and any(
        one.quantity.unit == claim.quantity.unit and one.heads == source.heads and one.heads for one in beside
    )


def _plain(figure: Figure) -> bool:
    return all(key.startswith(("w:", "word:")) for key in figure.heads)


def _number(figure: Figure, sources: list[Figure], *, dated: bool, told_as_past: bool) -> Reason | None:
    same = [one for one in sources if _same(figure.quantity, one.quantity)]
    same = [one for one in same if not (figure.role and one.role) or figure.role == one.role]
    if not same:
        return Reason.NUMBER_NOT_IN_SOURCE
    # "a negative culture at 36 hours" does not deny the hours
    for attributes, reason in _OF_NUMBERS if figure.quantity.unit not in TIMES else ():
        if attributes == {"past"} and (dated or figure.role or figure.quantity.unit == "{pack-years}"):
            continue
        same = [
            one
            for one in same
            if one.attributes & attributes == figure.attributes & attributes
            or (attributes == {"past"} and told_as_past and not figure.attributes & attributes)
        ]
        if not same:
            return reason
    same = [one for one in same if _unit_agrees(figure, one, sources)]
    if not same:
        return Reason.UNIT_DIFFERS
    return None if _of_the_same(figure, same) else Reason.VALUE_OF_ANOTHER


def _of_the_same(figure: Figure, same: list[Figure]) -> bool:
    """Return whether the value is one of the same thing, as far as its sentence tells."""
    if figure.counted and not figure.quantity.unit:
        if any(figure.counted & one.counted for one in same):
            return True
        same = [one for one in same if not one.counted and not one.quantity.unit]
    if any(not figure.heads or not one.heads or figure.heads & one.wider for one in same):
        return True
    if _plain(figure) and any(_plain(one) and figure.wider & one.wider - one.heads for one in same):
        return True  # both are what their unit or form makes them: a blood pressure
    # A plain word is no name of what is measured: "gained 5 pounds over the summer".
    return _plain(figure) and (any(not _plain(one) for one in same) or figure.quantity.unit in TIMES)


def dates(claim: Reading, window: Window) -> Reason | None:
    """Each date is in the evidence, or is the date of the record where its text gives none."""
    sources = [place.date for reading in window.readings for place in reading.dates]
    if not sources:
        sources = list(window.visit)
    for place in claim.dates:
        if not any(bears_out(place.date, in_order(source, window.order)) for source in sources):
            return Reason.DATE_NOT_IN_SOURCE
    return None


def specimen(claim: Reading, window: Window) -> Reason | None:
    """A value measured in urine, spinal fluid or stool is not stated without saying so."""
    if not any(one.kind is Kind.TEST for one in claim.mentions) or any(key.startswith("urine-") for key in claim.keys):
        return None
    for figure in claim.figures:
        holding = [
            frozenset(sentence.reading.keys).union(*(one.keys for one in sentence.headings))
            for sentence in window.sentences
            if any(same_value(figure.quantity, source.quantity) for source in sentence.reading.figures)
        ]
        if holding and all((keys & OTHER_SPECIMENS) - claim.keys for keys in holding):
            return Reason.TEST_NOT_IN_SOURCE
    return None


def value_of_its_clause(claim: Reading, window: Window) -> Reason | None:
    """Of several values of one thing, the value is the one whose clause says what the sentence says."""
    if claim.dates:
        return None  # told apart by the date
    for figure in claim.figures:
        if {"from", "to"} <= {one.role for one in claim.figures}:
            continue  # "from 4.2 to 1.8": told apart by that
        wanted = _clause(figure, claim)
        for reading in window.readings:
            own_heads = [one.heads for one in reading.figures if _same(figure.quantity, one.quantity)]
            rivals = [
                (len(wanted & _clause(one, reading)), _same(figure.quantity, one.quantity))
                for one in reading.figures
                if (one.quantity.unit in {figure.quantity.unit, ""} or not figure.quantity.unit)
                and (one.heads & figure.heads or one.heads in own_heads)
            ]
            own = max((shared for shared, same in rivals if same), default=None)
            if own is not None and any(shared > own for shared, same in rivals if not same):
                return Reason.VALUE_OF_ANOTHER
    return None


def _clause(figure: Figure, reading: Reading) -> frozenset[str]:
    heads = {at for one in reading.mentions if one.key in figure.heads for at in range(one.first, one.last)}
    return frozenset(
        word.stem
        for at, word in enumerate(reading.words)
        if reading.segments[at] == figure.segment
        and at not in heads
        and not figure.quantity.start <= word.start < figure.quantity.end
        and word.stem.isalpha()
        and word.low not in _JOINING
    )


def side_of_value(claim: Reading, window: Window) -> Reason | None:
    """Where the evidence gives a value for each side, the value is that of the side the sentence names."""
    sides = {one.key for one in claim.mentions if one.key in _SIDES}
    if len(sides) != 1:
        return None
    for figure in claim.figures:
        for reading in window.readings:
            if len({one.key for one in reading.mentions if one.key in _SIDES}) < 2:
                continue
            own = [
                {one.key for one in reading.mentions if one.key in _SIDES and one.segment == source.segment}
                for source in reading.figures
                if _same(figure.quantity, source.quantity)
            ]
            if own and not any(not held or held & sides for held in own):
                return Reason.LATERALITY_DIFFERS
    return None
