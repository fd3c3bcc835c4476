"""Problems, immunisations, procedures, encounters, vital signs, recent results, code status, identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, MeasureKey, measure_key, of_kind
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.naming import plain
from clinical.domain.facts.tables import measurements, problems, vaccines
from clinical.domain.projection.rows import (
    CodeStatusRow,
    ConditionRow,
    EncounterRow,
    FamilyRow,
    ImmunizationRow,
    ObservationRow,
    PatientRow,
    ProcedureRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.facts.tables import Term

_CURRENT: Final = frozenset({"active", "recurrence", "relapse", "unknown", ""})
_NOT_IN_FORCE: Final = frozenset({
    "cancelled", "inactive", "rejected", "revoked", "superseded", "draft", "proposed", "completed",
    "resolved", "remission", "refuted", "not-done",
})  # fmt: skip
VITAL_ORDER: Final = (
    "blood-pressure", "systolic", "diastolic", "heart-rate", "respiratory-rate", "spo2", "temperature",
    "weight",
    "height", "bmi", "pain", "gcs", "head-circumference",
)  # fmt: skip


def newest(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts newest first."""
    return sorted(facts, key=lambda fact: (fact.row.effective_sort, fact.resource), reverse=True)


def active_problems(facts: Iterable[Fact]) -> list[Fact]:
    """Return problems that are active, or whose status is not recorded and that have no end."""
    return newest(
        fact for fact, row in of_kind(facts, ConditionRow)
        if row.clinical in _CURRENT and row.verification != "refuted" and not row.abated
    )  # fmt: skip


def past_problems(facts: Iterable[Fact]) -> list[Fact]:
    """Return problems that are resolved, inactive, in remission or have an end; not the refuted ones."""
    active = set(active_problems(facts := list(facts)))
    return newest(
        fact for fact, row in of_kind(facts, ConditionRow) if fact not in active and row.verification != "refuted"
    )


def immunizations(facts: Iterable[Fact]) -> list[Fact]:
    """Return vaccinations, given and not given (status "not-done"), newest first."""
    return newest(fact for fact, _ in of_kind(facts, ImmunizationRow))


def procedures(facts: Iterable[Fact]) -> list[Fact]:
    """Return procedures, newest first; those not done or only planned keep their status in the sentence."""
    return newest(fact for fact, _ in of_kind(facts, ProcedureRow))


def encounters(facts: Iterable[Fact]) -> list[Fact]:
    """Return contacts with care, newest first, without cancelled and merely planned ones."""
    return newest(fact for fact, row in of_kind(facts, EncounterRow) if row.status not in ("cancelled", "planned"))


def family_history(facts: Iterable[Fact]) -> list[Fact]:
    """Return relatives' conditions; never the patient's own."""
    return newest(fact for fact, _ in of_kind(facts, FamilyRow))


def patient(facts: Iterable[Fact]) -> Fact | None:
    """Return the newest Patient fact, or None."""
    found = newest(fact for fact, _ in of_kind(facts, PatientRow))
    return found[0] if found else None


def code_status(facts: Iterable[Fact]) -> list[Fact]:
    """Return statements on resuscitation in force, newest first; empty when none is recorded."""
    return newest(fact for fact, row in of_kind(facts, CodeStatusRow) if row.status not in _NOT_IN_FORCE)


def latest_vitals(facts: Iterable[Fact]) -> list[Fact]:
    """Return the newest of each vital sign, in the usual order; a panel stands for its parts."""
    latest: dict[str, Fact] = {}
    for fact in results(facts):
        row = row_of(fact)
        key = measure_key(row).concept
        known = measurements().get(key)
        if (known is not None and known.group == "vital") or (known is None and "vital-signs" in row.categories):
            latest.setdefault(key, fact)
    panel = latest.get("blood-pressure")
    for part in ("systolic", "diastolic"):
        if panel is not None and part in latest and latest[part].row.effective_sort <= panel.row.effective_sort:
            del latest[part]
    order = {name: place for place, name in enumerate(VITAL_ORDER)}
    return [latest[key] for key in sorted(latest, key=lambda name: (order.get(name, len(order)), name))]


def recent_results(facts: Iterable[Fact]) -> list[tuple[MeasureKey, list[Fact]]]:
    """Return laboratory results grouped by analyte and sample, each newest first, newest group first."""
    groups: dict[MeasureKey, list[Fact]] = {}
    for fact in results(facts):
        row = row_of(fact)
        if is_laboratory(row) and not row.panel:
            groups.setdefault(measure_key(row), []).append(fact)
    return list(groups.items())


def is_laboratory(row: ObservationRow) -> bool:
    """Return whether the observation is a laboratory result, by category, else by the table."""
    if row.categories:
        return "laboratory" in row.categories
    known = measurements().get(measure_key(row).concept)
    return known is not None and known.group == "lab"


def about(facts: Iterable[Fact], asked: str, terms: Sequence[Term]) -> list[Fact]:
    """Return the facts whose names hold all words of `asked`, or of a name the table has for it."""
    names = same_names(asked, terms)
    return [fact for fact in facts if any(_holds(name, wanted) for name in fact.row.names for wanted in names)]


def same_names(asked: str, terms: Sequence[Term]) -> frozenset[str]:
    """Return comparable names of one problem, vaccine or procedure: as asked, and as the table has it."""
    wanted = plain(asked)
    return frozenset({wanted}.union(*(item.terms for item in terms if wanted in item.terms)))


def _holds(name: str, wanted: str) -> bool:
    have = set(plain(name).replace("/", " ").split())
    return bool(wanted) and all(
        word in have or word.rstrip("s") in have or f"{word}s" in have for word in wanted.replace("/", " ").split()
    )


def problems_about(facts: Iterable[Fact], asked: str) -> list[Fact]:
    """Return the patient's own problems about `asked`, whatever their status."""
    return about(newest(fact for fact, _ in of_kind(facts, ConditionRow)), asked, problems())


def immunizations_about(facts: Iterable[Fact], asked: str) -> list[Fact]:
    """Return vaccinations about `asked` ("flu shot"), newest first."""
    return about(immunizations(facts), asked, vaccines())
