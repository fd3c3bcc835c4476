"""Latest results that lie outside the reference range of their day, and flags as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, MeasureKey, measure_key
from clinical.domain.facts.measurements import applicable_ranges, flag, number_of, results, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_CRITICAL: Final = frozenset({"HH", "LL", "AA", "HU", "LU"})
_ABNORMAL: Final = frozenset({"A", "AA", "POS", "R", "ABN"})


def latest_by_test(facts: Iterable[Fact]) -> list[Fact]:
    """Return the newest result of each test and sample, newest first; all of a moment that differ."""
    latest: dict[MeasureKey, list[Fact]] = {}
    for fact in results(facts):
        same = latest.setdefault(measure_key(row_of(fact)), [])
        if not same or same[0].row.effective_sort == fact.row.effective_sort:
            same.append(fact)
    return [fact for group in latest.values() for fact in group]


def is_abnormal(fact: Fact) -> bool:
    """Return whether a result is flagged by the record, or lies outside its own reference range."""
    row = row_of(fact)
    return bool(flag(row)) or any(code.upper() in _ABNORMAL for code in row.interpretation)


def is_critical(fact: Fact) -> bool:
    """Return whether the record itself flags the result as critical (HH, LL, AA, HU, LU); never worked out here."""
    return any(code.upper() in _CRITICAL for code in row_of(fact).interpretation)


def can_be_judged(fact: Fact) -> bool:
    """Return whether the record flags the result, or gives an exact number and a range to hold it against."""
    row = row_of(fact)
    return bool(row.interpretation) or (number_of(row) is not None and bool(applicable_ranges(row)))
