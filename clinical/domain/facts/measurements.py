"""Measurements over time: latest, previous, series, extremes. Blood and urine are never mixed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.conversion import convert
from clinical.domain.facts.fact import Fact, MeasureKey, measure_key, of_kind
from clinical.domain.facts.tables import measurements
from clinical.domain.projection.rows import ObservationRow, ReferenceRange
from clinical.domain.provenance import DEMO, Trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOT_RESULTS: Final = frozenset({"cancelled", "not-done", "registered"})
_RANK: Final = {"corrected": 2, "amended": 2, "final": 1}


def row_of(fact: Fact) -> ObservationRow:
    """Return the observation row of a fact selected by this module."""
    if not isinstance(fact.row, ObservationRow):
        raise TypeError("not an observation")
    return fact.row


def has_value(row: ObservationRow) -> bool:
    """Return whether the row states a value, itself or in its components."""
    return row.value.type != "none" or any(part.value.type != "none" for part in row.components)


def results(facts: Iterable[Fact]) -> list[Fact]:
    """Return observations with a value, newest first, each correction in place of what it corrects.

    Entered in error, cancelled and not done are out. Of several results of one analyte at one recorded
    time, corrected and amended ones stand for the final, and final for preliminary ones. Two of the
    same rank that differ are both kept: a conflict is shown, not resolved. The same value of the same moment is one
    result, by however many doors it came.
    """
    kept = [(fact, row, _moment(row)) for fact, row in of_kind(facts, ObservationRow) if _counts(row)]
    best: dict[tuple[object, ...], int] = {}
    for _, row, moment in kept:
        best[moment] = max(best.get(moment, 0), _RANK.get(row.status, 0))
    chosen = {
        (fact.resource, row.anchor): fact
        for fact, row, moment in kept
        if not row.effective or _RANK.get(row.status, 0) == best[moment]
    }
    once: dict[object, Fact] = {}
    for fact in sorted(chosen.values(), key=lambda fact: fact.resource):
        once.setdefault(_same(fact), fact)
    return sorted(once.values(), key=_newest_first, reverse=True)


def _same(fact: Fact) -> object:
    """Return what two copies of one result share; a result known to the day only is a copy of nothing."""
    row = row_of(fact)
    if "T" not in row.effective:
        return fact.resource, row.anchor
    parts = tuple((part.names, part.codes, part.value.number, part.value.text) for part in row.components)
    said = (row.value.type, row.value.number, row.value.comparator, unit_of(row), row.value.text, parts)
    return measure_key(row), row.effective_sort, bool(row.panel), row.method, said


def _counts(row: ObservationRow) -> bool:
    return row.status not in NOT_RESULTS and has_value(row)


def _moment(row: ObservationRow) -> tuple[object, ...]:
    when = row.effective_sort if "T" in row.effective else row.effective  # one moment, in whichever zone it is written
    return measure_key(row), when, row.panel, row.method


def _newest_first(fact: Fact) -> tuple[object, ...]:
    row = row_of(fact)
    return row.effective_sort, row.issued, fact.resource


def series(facts: Iterable[Fact], key: MeasureKey) -> list[Fact]:
    """Return all results of one analyte in one sample, oldest first.

    A concept with parts (blood pressure) that was never recorded as a panel gives its parts.
    """
    observations = [(fact, measure_key(row)) for fact, row in of_kind(facts, ObservationRow)]
    found = results(fact for fact, about in observations if about == key)
    known = measurements().get(key.concept)
    if not found and known is not None and known.parts:
        parts = {MeasureKey(part, measurements()[part].sample and key.sample) for part in known.parts}
        found = results(fact for fact, about in observations if about in parts)
    return found[::-1]


def latest_values(facts: Iterable[Fact], key: MeasureKey) -> list[Fact]:
    """Return the newest result; several when the record holds differing ones for the same moment."""
    found = series(facts, key)
    return [fact for fact in found if row_of(fact).effective_sort == row_of(found[-1]).effective_sort] if found else []


def latest_value(facts: Iterable[Fact], key: MeasureKey) -> Fact | None:
    """Return the newest result with a value, or None."""
    found = series(facts, key)
    return found[-1] if found else None


def previous_value(facts: Iterable[Fact], key: MeasureKey) -> Fact | None:
    """Return the newest result that is older than the latest, or None."""
    found = series(facts, key)
    older = [fact for fact in found if row_of(fact).effective_sort < row_of(found[-1]).effective_sort]
    return older[-1] if older else None


def other_samples(facts: Iterable[Fact], key: MeasureKey) -> list[MeasureKey]:
    """Return keys of the same analyte that the record holds in another sample."""
    same = [fact for fact, row in of_kind(facts, ObservationRow) if measure_key(row).concept == key.concept]
    return sorted({measure_key(row_of(fact)) for fact in results(same)} - {key})


def number_of(row: ObservationRow) -> Decimal | None:
    """Return the exact number of a quantity without comparator; None for "<0.01", text and ranges."""
    if row.value.comparator or not row.value.number:
        return None
    try:
        return Decimal(row.value.number)
    except InvalidOperation:
        return None


def unit_of(row: ObservationRow) -> str:
    """Return the unit to compare by: the UCUM code, else the unit as shown."""
    return row.value.ucum or row.value.unit


def in_unit(row: ObservationRow, unit: str, *, trust: Trust = DEMO) -> Decimal | None:
    """Return the exact number in a UCUM unit: the record's own where it is that unit, else converted by code.

    None without an exact number, or where the table has no way from one unit to the other.
    """
    number = number_of(row)
    if number is None or unit_of(row) == unit:
        return number
    concept = measure_key(row).concept
    made = convert(row.value.number, unit_of(row), unit, concept=concept, names=row.names, trust=trust)
    return None if made is None else made.number


def comparable(found: Iterable[Fact], *, unit: str = "", trust: Trust = DEMO) -> list[list[tuple[Fact, Decimal]]]:
    """Return the results with a number, in groups that may be compared: all in `unit`, else in that of the newest.

    What cannot be converted into it stands in a group of its own for each unit. Oldest first within a group.
    """
    rest = [fact for fact in found if number_of(row_of(fact)) is not None]
    groups: list[list[tuple[Fact, Decimal]]] = []
    while rest:
        goal = unit or unit_of(row_of(rest[-1]))
        group = [(fact, number) for fact in rest if (number := in_unit(row_of(fact), goal, trust=trust)) is not None]
        if group:
            groups.append(group)
        taken = {(fact.resource, row_of(fact).anchor) for fact, _ in group}
        rest = [fact for fact in rest if (fact.resource, row_of(fact).anchor) not in taken]
        unit = ""
    return groups


def extremes(found: Sequence[Fact], *, highest: bool, trust: Trust = DEMO) -> list[Fact]:
    """Return the highest (lowest) results, all that tie; one group more for units that cannot be converted."""
    chosen: list[Fact] = []
    for group in comparable(found, trust=trust):
        best = (max if highest else min)(number for _, number in group)
        chosen.extend(fact for fact, number in group if number == best)
    return chosen


def applicable_ranges(row: ObservationRow) -> list[ReferenceRange]:
    """Return the ranges a value can be held against: with a bound, in its own unit, for the normal population."""
    unit = unit_of(row)
    return [
        bounds
        for bounds in row.ranges
        if (bounds.low or bounds.high)
        and (not unit or unit in (bounds.ucum, bounds.unit) or not (bounds.ucum or bounds.unit))
        and bounds.meaning in ("", "normal", "recommended")
    ]


def flag(row: ObservationRow) -> str:
    """Return "H", "L" or "" by the record's interpretation, else by the reference range of the day.

    A range in another unit than the value, or meant for another population than "normal", flags nothing.
    """
    for code in row.interpretation:
        if code.upper() in ("H", "HH", "HU", "L", "LL", "LU"):
            return code.upper()[0]
        if code.upper() == "N":
            return ""
    number = number_of(row)
    for bounds in applicable_ranges(row):
        if number is None:
            continue
        try:
            if bounds.low and number < Decimal(bounds.low):
                return "L"
            if bounds.high and number > Decimal(bounds.high):
                return "H"
        except InvalidOperation:
            continue
    return ""
