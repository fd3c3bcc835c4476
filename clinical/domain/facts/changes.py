"""What is new, ended or different since a moment: medicines, problems, allergies, results, procedures, visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.abnormal import latest_by_test
from clinical.domain.facts.fact import Fact, measure_key, of_kind
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.statements import newest
from clinical.domain.projection.dates import lower_bound
from clinical.domain.projection.rows import (
    AllergyRow,
    ConditionRow,
    EncounterRow,
    ImmunizationRow,
    MedicationRow,
    ProcedureRow,
    ReportRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_LISTED: Final = frozenset({"MedicationRequest", "MedicationStatement"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is new or ended. `before` is the last result of the same test until then, if there is one."""

    heading: str
    what: str
    fact: Fact
    before: Fact | None = None


def changes(facts: Sequence[Fact], since: datetime) -> list[Change]:
    """Return what the record dates at or after `since` (timezone-aware), grouped by heading.

    A stop without a date cannot be placed and is left out; `undated_stops` counts those.
    """
    return [
        *_medicines(facts, since),
        *_problems(facts, since),
        *_new(facts, AllergyRow, since, "Allergies", "new entry"),
        *_results(facts, since),
        *_new(facts, ReportRow, since, "Reports", "new report"),
        *_new(facts, ProcedureRow, since, "Procedures", "new"),
        *_new(facts, ImmunizationRow, since, "Immunisations", "new"),
        *_new(facts, EncounterRow, since, "Visits", "new"),
    ]


def undated_stops(facts: Iterable[Fact]) -> list[Fact]:
    """Return orders that were stopped on a day the record does not give."""
    return [
        fact
        for fact, row in of_kind(facts, MedicationRow)
        if row.resource_type in _LISTED and row.status == "stopped" and not row.end
    ]


def _medicines(facts: Sequence[Fact], since: datetime) -> list[Change]:
    found = []
    for fact in newest(fact for fact, row in of_kind(facts, MedicationRow) if row.resource_type in _LISTED):
        row = fact.row
        if not isinstance(row, MedicationRow):
            continue
        if row.end and lower_bound(row.end) >= since:
            found.append(Change("Medicines", "ended", fact))
        elif row.effective_sort >= since:
            found.append(Change("Medicines", "new", fact))
    return found


def _problems(facts: Sequence[Fact], since: datetime) -> list[Change]:
    found = []
    for fact, row in of_kind(facts, ConditionRow):
        if row.abated and lower_bound(row.abated) >= since:
            found.append(Change("Problems", "resolved", fact))
        elif row.effective_sort >= since:
            found.append(Change("Problems", "new", fact))
    return sorted(found, key=lambda change: change.fact.row.effective_sort, reverse=True)


def _results(facts: Sequence[Fact], since: datetime) -> list[Change]:
    earlier: dict[object, Fact] = {}
    for fact in results(facts):
        if fact.row.effective_sort < since:
            earlier.setdefault(measure_key(row_of(fact)), fact)
    return [
        Change("Results", "new", fact, earlier.get(measure_key(row_of(fact))))
        for fact in latest_by_test(facts)
        if fact.row.effective_sort >= since and not row_of(fact).panel
    ]


def _new(
    facts: Sequence[Fact],
    kind: type[AllergyRow | ReportRow | ProcedureRow | ImmunizationRow | EncounterRow],
    since: datetime,
    heading: str,
    what: str,
) -> list[Change]:
    found = newest(fact for fact, row in of_kind(facts, kind) if row.effective_sort >= since)
    return [Change(heading, what, fact) for fact in found]
