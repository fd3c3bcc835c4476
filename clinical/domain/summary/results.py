"""Latest results that are abnormal, and what is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey, measure_key, of_kind
from clinical.domain.facts.measurements import flag, results, row_of
from clinical.domain.facts.statements import is_laboratory, newest
from clinical.domain.projection.rows import IN_ERROR, CodeStatusRow, ObservationRow, PlanRow, ReportRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact

# HL7 v3 ObservationInterpretation, and the words that records write in their place (from memory).
_ABNORMAL: Final = frozenset({
    "A", "AA", "H", "HH", "HU", "L", "LL", "LU", "HX", "LX", ">", "<", "POS", "DET", "RR", "WR", "ABNORMAL", "HIGH",
    "LOW", "CRITICAL", "POSITIVE", "DETECTED", "REACTIVE", "PANIC", "CRITICAL HIGH", "CRITICAL LOW", "ABN", "+",
})  # fmt: skip
_NORMAL: Final = frozenset({"N", "NEG", "ND", "NORMAL", "NEGATIVE", "NR", "NOT DETECTED"})
_AWAITED_REPORT: Final = frozenset({"registered", "partial", "preliminary"})
_AWAITED_RESULT: Final = frozenset({"registered", "preliminary"})
_OPEN_ORDER: Final = frozenset({"active", "on-hold"})


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest result of each test: the abnormal ones, newest first, and how many cannot be judged.

    `unjudged` are laboratory results that carry neither an interpretation nor a reference range.
    """

    abnormal: tuple[Fact, ...]
    unjudged: tuple[Fact, ...]
    tests: int


def latest(facts: Sequence[Fact]) -> Latest:
    """Return what the newest result of each test says of itself.

    One analyte under two codes (bedside and laboratory glucose) is two tests: a newer normal result by another
    method does not hide an abnormal one. Where several results stand for the same moment, all of them count. Parts
    of a panel count on their own.
    """
    groups: dict[tuple[MeasureKey, str], list[Fact]] = {}
    for fact in results(facts):
        row = row_of(fact)
        group = groups.setdefault((measure_key(row), next(iter(row.codes), "")), [])
        if not group or row_of(group[0]).effective_sort == row_of(fact).effective_sort:
            group.append(fact)
    kept = [fact for group in groups.values() for fact in group]
    return Latest(
        abnormal=tuple(newest(fact for fact in kept if is_abnormal(row_of(fact)))),
        unjudged=tuple(newest(fact for fact in kept if _cannot_tell(row_of(fact)))),
        tests=len(groups),
    )


def is_abnormal(row: ObservationRow) -> bool:
    """Return whether the record flags the result, or its value lies outside the reference range of the day."""
    codes = {code.upper() for code in row.interpretation}
    if codes & _ABNORMAL:
        return True
    return not codes & _NORMAL and bool(flag(row))


def _cannot_tell(row: ObservationRow) -> bool:
    return is_laboratory(row) and not row.panel and not row.interpretation and not row.ranges


def awaited(facts: Sequence[Fact]) -> list[Fact]:
    """Return open orders, unfinished reports and results not yet final, newest first.

    An order stays open until the record closes it: its result may be in. Orders about resuscitation are no tests.
    """
    wishes = {fact.resource for fact in facts if isinstance(fact.row, CodeStatusRow)}
    return newest(
        fact for fact in facts if fact.row.status != IN_ERROR and fact.resource not in wishes and _is_awaited(fact)
    )


def _is_awaited(fact: Fact) -> bool:
    row = fact.row
    match row:
        case PlanRow():
            return row.resource_type == "ServiceRequest" and row.status in _OPEN_ORDER
        case ReportRow():
            return row.status in _AWAITED_REPORT
        case ObservationRow():
            return row.status in _AWAITED_RESULT and not row.panel
    return False


def alerts(facts: Sequence[Fact]) -> list[Fact]:
    """Return active flags (FHIR Flag) that are not about resuscitation, newest first."""
    wishes = {fact.resource for fact, _ in of_kind(facts, CodeStatusRow)}
    return newest(
        fact
        for fact in facts
        if fact.row.resource_type == "Flag" and fact.row.status == "active" and fact.resource not in wishes
    )
