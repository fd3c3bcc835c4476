"""Where the record contradicts itself. Both sides are returned, and nothing is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.allergies import allergies
from clinical.domain.facts.fact import Fact, measure_key, of_kind
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.medications import is_active
from clinical.domain.facts.naming import drug_words, plain
from clinical.domain.facts.statements import code_status
from clinical.domain.projection.dates import UNDATED, lower_bound
from clinical.domain.projection.rows import CodeStatusRow, ConditionRow, MedicationRow, PatientRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

_ENDED: Final = frozenset({"stopped", "completed", "cancelled", "not-taken"})
_STANDING: Final = frozenset({"MedicationRequest", "MedicationStatement"})
_GONE: Final = frozenset({"resolved", "inactive", "remission"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """Facts that cannot all hold, and about what ("metformin", "allergies")."""

    about: str
    sides: tuple[Fact, ...]


def conflicts(facts: Sequence[Fact], *, today: date) -> list[Conflict]:
    """Return every contradiction that is looked for: medicines, problems, allergies, results, resuscitation, person."""
    return [
        *medication_conflicts(facts, today=today),
        *_problems(facts),
        *_allergies(facts),
        *_results(facts),
        *_wishes(facts),
        *_person(facts),
    ]


def medication_conflicts(facts: Iterable[Fact], *, today: date) -> list[Conflict]:
    """Return medicines in force by one entry and ended by another that is not older than it.

    A dose that was stopped before the present order began is no conflict.
    """
    by_drug: dict[tuple[str, ...], list[tuple[Fact, MedicationRow]]] = {}
    for fact, row in of_kind(facts, MedicationRow):
        if row.resource_type in _STANDING:
            by_drug.setdefault(drug_words(row.text) or (plain(row.text),), []).append((fact, row))
    found = []
    for same in by_drug.values():
        active = [(fact, row) for fact, row in same if is_active(row, today=today)]
        ended = [(fact, row) for fact, row in same if row.status in _ENDED]
        against = [one for one, over in ended if any(_contradict(row, over) for _, row in active)]
        held = [fact for fact, row in active if any(_contradict(row, over) for _, over in ended)]
        if held:
            found.append(Conflict(held[0].row.text, (*held, *against)))
    return found


def _contradict(active: MedicationRow, ended: MedicationRow) -> bool:
    differs = plain(active.text) != plain(ended.text) or (
        active.dosage and ended.dosage and plain(active.dosage) != plain(ended.dosage)
    )
    if active.resource_type == ended.resource_type and differs:
        return False  # an order for another strength or form of the same drug
    end = lower_bound(ended.end)
    if active.resource_type == ended.resource_type:
        return end != UNDATED and active.effective_sort < end and ended.effective_sort >= active.effective_sort
    return active.effective_sort <= (end if end != UNDATED else ended.effective_sort)


def _problems(facts: Sequence[Fact]) -> list[Conflict]:
    by_name: dict[str, list[tuple[Fact, ConditionRow]]] = {}
    for fact, row in of_kind(facts, ConditionRow):
        by_name.setdefault(plain(row.text), []).append((fact, row))
    found = []
    for same in by_name.values():
        for (one, row), (other, second) in combinations(same, 2):
            current, past = ((one, row), (other, second)) if row.clinical == "active" else ((other, second), (one, row))
            ended = lower_bound(past[1].abated)
            if (
                current[1].clinical == "active"
                and past[1].clinical in _GONE
                and current[1].effective_sort != UNDATED
                and current[1].effective_sort < ended
            ):
                found.append(Conflict(row.text, (current[0], past[0])))
    return found


def _allergies(facts: Sequence[Fact]) -> list[Conflict]:
    held = allergies(facts)
    return [Conflict("allergies", (*held.active, *held.negatives))] if held.conflict else []


def _results(facts: Sequence[Fact]) -> list[Conflict]:
    groups: dict[tuple[object, ...], list[Fact]] = {}
    for fact in results(facts):
        row = row_of(fact)
        if "T" in row.effective:  # two values of one day need not contradict each other
            groups.setdefault((measure_key(row), row.effective_sort, row.panel, row.method), []).append(fact)
    return [
        Conflict(group[0].row.text, tuple(group))
        for group in groups.values()
        if len({(row_of(fact).value.text, row_of(fact).components) for fact in group}) > 1
    ]


def _wishes(facts: Sequence[Fact]) -> list[Conflict]:
    found = code_status(facts)
    wishes = {fact.row.wish for fact in found if isinstance(fact.row, CodeStatusRow)}
    return [Conflict("resuscitation", tuple(found))] if {"full", "no-cpr"} <= wishes else []


def _person(facts: Sequence[Fact]) -> list[Conflict]:
    found = of_kind(facts, PatientRow)
    differing = {(row.birth_date, row.gender) for _, row in found}
    return [Conflict("birth date or sex", tuple(fact for fact, _ in found))] if len(differing) > 1 else []
