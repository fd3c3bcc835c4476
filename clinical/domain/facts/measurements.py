"""Measurements over time: latest, previous, series, extremes, trend. Blood and urine are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, MeasureKey, measure_key, of_kind
from clinical.domain.facts.tables import measurements
from clinical.domain.projection.rows import ObservationRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOT_RESULTS: Final = frozenset({"cancelled", "not-done", "registered"})
_RANK: Final = {"corrected": 2, "amended": 2, "final": 1}
TREND_POINTS: Final = 3


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
    same rank that differ are both kept: a conflict is shown, not resolved.
    """
    kept = [(fact, row) for fact, row in of_kind(facts, ObservationRow) if _counts(row)]
    best: dict[tuple[object, ...], int] = {}
    for _, row in kept:
        best[_moment(row)] = max(best.get(_moment(row), 0), _RANK.get(row.status, 0))
    chosen = {
        (fact.resource, row.anchor): fact
        for fact, row in kept
        if not row.effective or _RANK.get(row.status, 0) == best[_moment(row)]
    }
    return sorted(chosen.values(), key=_newest_first, reverse=True)


def _counts(row: ObservationRow) -> bool:
    return row.status not in NOT_RESULTS and has_value(row)


def _moment(row: ObservationRow) -> tuple[object, ...]:
    return measure_key(row), row.effective, row.panel, row.method


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
    keys = {measure_key(row_of(fact)) for fact in results(facts)}
    return sorted(other for other in keys if other.concept == key.concept and other != key)


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


def extremes(found: Sequence[Fact], *, highest: bool) -> list[Fact]:
    """Return the highest (lowest) results, all that tie, one group for each unit; never across units."""
    groups: dict[str, list[tuple[Decimal, Fact]]] = {}
    for fact in found:
        number = number_of(row_of(fact))
        if number is not None:
            groups.setdefault(unit_of(row_of(fact)), []).append((number, fact))
    chosen: list[Fact] = []
    for group in groups.values():
        best = (max if highest else min)(number for number, _ in group)
        chosen.extend(fact for number, fact in group if number == best)
    return chosen


@dataclass(frozen=True, slots=True)
class Trend:
    """How the last points moved: "rising", "falling", "steady", "varying" or "too few" (under three).

    `change` is newest minus oldest of `points`, exact, in `unit` as the record shows it.
    """

    direction: str
    change: Decimal
    unit: str
    points: tuple[Fact, ...]


def trend(found: Sequence[Fact], *, points: int = TREND_POINTS) -> Trend:
    """Describe the last `points` results that have a number in the unit of the newest one.

    Rising (falling) needs at least three points, each at or above (below) the one before, with a
    change of more than nothing; up and down is "varying". No threshold of significance is applied.
    """
    numbered = [(fact, number) for fact in found if (number := number_of(row_of(fact))) is not None]
    if not numbered:
        return Trend("too few", Decimal(0), "", ())
    newest = row_of(numbered[-1][0])
    last = [(fact, number) for fact, number in numbered if unit_of(row_of(fact)) == unit_of(newest)][-points:]
    steps = [after - before for (_, before), (_, after) in pairwise(last)]
    change = last[-1][1] - last[0][1]
    if len(last) < TREND_POINTS:
        direction = "too few"
    elif all(step == 0 for step in steps):
        direction = "steady"
    elif all(step >= 0 for step in steps):
        direction = "rising"
    else:
        direction = "falling" if all(step <= 0 for step in steps) else "varying"
    return Trend(direction, change, newest.value.unit, tuple(fact for fact, _ in last))


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
    for bounds in row.ranges:
        same_unit = not unit_of(row) or unit_of(row) in (bounds.ucum, bounds.unit) or not (bounds.ucum or bounds.unit)
        if number is None or not same_unit or bounds.meaning not in ("", "normal", "recommended"):
            continue
        try:
            if bounds.low and number < Decimal(bounds.low):
                return "L"
            if bounds.high and number > Decimal(bounds.high):
                return "H"
        except InvalidOperation:
            continue
    return ""
