"""Medicines: what is active, what was, and which facts are about a drug that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, of_kind
from clinical.domain.facts.naming import drug_words, plain
from clinical.domain.facts.tables import drug_classes, drugs
from clinical.domain.projection.rows import ConditionRow, MedicationRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

ACTIVE: Final = frozenset({"active", "on-hold", "unknown"})
_INTENTIONS: Final = frozenset({"proposal", "plan", "option"})
_LISTED: Final = frozenset({"MedicationRequest", "MedicationStatement"})


def is_active(row: MedicationRow, *, today: date) -> bool:
    """Return whether an order or statement is in force on `today`.

    Active and on-hold (shown as such) count, "unknown" too, since leaving out is worse; a recorded end of
    treatment before `today` does not. Intentions, "do not give", and single administrations or
    dispenses are no standing medication.
    """
    if row.resource_type not in _LISTED or row.status not in ACTIVE or row.do_not_perform or row.intent in _INTENTIONS:
        return False
    return not row.end or row.end[:10] >= today.isoformat()[: len(row.end[:10])]


def active_medications(facts: Iterable[Fact], *, today: date) -> list[Fact]:
    """Return standing orders and statements in force on `today`, newest first."""
    return _newest(fact for fact, row in of_kind(facts, MedicationRow) if is_active(row, today=today))


def past_medications(facts: Iterable[Fact], *, today: date) -> list[Fact]:
    """Return orders and statements no longer in force (stopped, completed, cancelled, ended), newest first.

    Drafts and intentions are neither active nor past.
    """
    return _newest(
        fact
        for fact, row in of_kind(facts, MedicationRow)
        if row.resource_type in _LISTED
        and not is_active(row, today=today)
        and row.status != "draft"
        and row.intent not in _INTENTIONS
        and not row.do_not_perform
    )


def medications_of(facts: Iterable[Fact], drug: str) -> list[Fact]:
    """Return every medication fact about `drug` (generic, brand or class name), newest first."""
    wanted = drug_names(drug)
    return _newest(fact for fact, row in of_kind(facts, MedicationRow) if names_drug(row, wanted))


def names_drug(row: MedicationRow, wanted: frozenset[str]) -> bool:
    """Return whether the row's names hold one of the wanted names, all words of it."""
    for name in (*row.names, *row.ingredients):
        whole, significant = f" {plain(name).replace('/', ' ')} ", set(drug_words(name))
        if any(f" {one} " in whole if " " in one else one in significant for one in wanted):
            return True
    return False


def drug_names(drug: str) -> frozenset[str]:
    """Return the names under which a drug, brand or class may stand in a record.

    A brand gives its generic and the other brands; a class gives all its members of the table.
    """
    asked = plain(drug)
    names = {asked}
    classes = {item.name for item in drug_classes() if asked in item.terms}
    for item in drugs():
        if asked in item.terms or (classes and classes & set(item.classes)):
            names.update(item.terms)
    return frozenset(names | {name for item in drug_classes() if item.name in classes for name in item.terms})


def classes_of(drug: str) -> frozenset[str]:
    """Return the classes the table puts a drug in; for a class, itself."""
    asked = plain(drug)
    own = {item.name for item in drug_classes() if asked in item.terms}
    return frozenset(own.union(*(item.classes for item in drugs() if asked in item.terms)))


def reasons_of(fact: Fact, facts: Iterable[Fact]) -> list[Fact]:
    """Return the conditions that an order or statement refers to as its reason, among `facts`, newest first."""
    if not isinstance(fact.row, MedicationRow) or not fact.row.reasons:
        return []
    wanted = {_bare_id(one) for one in fact.row.reasons}
    return _newest(one for one, _ in of_kind(facts, ConditionRow) if _bare_id(one.resource) in wanted)


def _bare_id(reference: str) -> str:
    return reference.rpartition("/")[2].rpartition(":")[2]


def _newest(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.row.effective_sort, fact.resource), reverse=True)
