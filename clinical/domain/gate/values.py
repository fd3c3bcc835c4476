"""Rules on numbers and dates: the right value, unit, date and specimen, of the right thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from clinical.domain.dates import bears_out
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quantity import same_value, unit_borne_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from clinical.domain.gate.mention import Figure
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

OTHER_SPECIMENS = frozenset(
    {"w:urin", "w:urinary", "w:csf", "w:stool", "w:pleural", "w:sputum", "w:ascit", "urinalysis"}
)
_USUAL = {"heart-rate": "/min", "respiratory-rate": "/min", "oxygen-saturation": "%"}
_JOINING = frozenset({"on", "in", "at", "was", "is", "were", "are", "the", "a", "an", "of", "to", "as", "and"})


def numbers(claim: Reading, window: Window) -> Reason | None:
    """Each number with its unit is in the evidence, as a value of the same thing."""
    sources = [figure for place in range(len(window.readings)) for figure in _figures(window.readings, place)]
    for figure in claim.figures:
        reason = _number(figure, sources, dated=bool(claim.dates), told_as_past="past" in claim.tenses)
        if reason is not None:
            return reason
    said, held = _counted(claim.figures), _counted(sources)
    # "3 by 2 by 3 cm" is not borne out by "0.4 by 2 by 3 cm".
    return Reason.NUMBER_NOT_IN_SOURCE if any(count > held[value] for value, count in said.items()) else None


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
    return not source.quantity.unit and any(_USUAL.get(key) == figure.quantity.unit for key in figure.heads)


def _plain(figure: Figure) -> bool:
    return all(key.startswith("w:") for key in figure.heads)


def _number(figure: Figure, sources: list[Figure], *, dated: bool, told_as_past: bool) -> Reason | None:
    same = [one for one in sources if same_value(figure.quantity, one.quantity)]
    same = [one for one in same if not (figure.role and one.role) or figure.role == one.role]
    if not same:
        return Reason.NUMBER_NOT_IN_SOURCE
    for attributes, reason in _OF_NUMBERS:
        if attributes == {"past"} and (dated or figure.quantity.unit == "{pack-years}"):
            continue
        same = [
            one
            for one in same
            if one.attributes & attributes == figure.attributes & attributes
            or (attributes == {"past"} and told_as_past and not figure.attributes & attributes)
        ]
        if not same:
            return reason
    same = [one for one in same if unit_borne_out(figure.quantity, one.quantity) or _usual_unit(figure, one)]
    if not same:
        return Reason.UNIT_DIFFERS
    if any(not figure.heads or not one.heads or figure.heads & one.wider for one in same):
        return None
    # A plain word is no name of what is measured: "gained 5 pounds over the summer".
    if all(key.startswith("w:") for key in figure.heads) and any(not _plain(one) for one in same):
        return None
    return Reason.VALUE_OF_ANOTHER


def dates(claim: Reading, window: Window) -> Reason | None:
    """Each date is in the evidence, or is the date of the record where its text gives none."""
    sources = [place.date for reading in window.readings for place in reading.dates]
    if not sources:
        sources = list(window.visit)
    for place in claim.dates:
        if not any(bears_out(place.date, source) for source in sources):
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
        wanted = _clause(figure, claim)
        for reading in window.readings:
            rivals = [
                (len(wanted & _clause(one, reading)), same_value(figure.quantity, one.quantity))
                for one in reading.figures
                if one.quantity.unit == figure.quantity.unit and one.heads & figure.heads
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
