"""Which identifiers name the two sides of a merge, and moving them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.identity.services import UnassignedError, find, identifier_digest, identifier_pairs, refuse_erased
from clinical.models import PatientIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from clinical.models import Patient

Pair = tuple[str, str]


def named_by(pairs: Iterable[Pair]) -> Patient | None:
    """Return the patient whom these (authority, identifier) pairs name; those of unknown authorities name nobody.

    Raises:
        UnassignedError: `identifiers-name-two-patients`; `patient-being-erased`.
    """
    found = {patient.id: patient for pair in pairs if (patient := find(*pair)) is not None}
    if len(found) > 1:
        raise UnassignedError("identifiers-name-two-patients")
    patient = next(iter(found.values()), None)
    if patient is not None:
        refuse_erased(patient)
    return patient


def identifiers_of(resource: dict[str, Any], server: str, *, among: Patient) -> set[int]:
    """Return which of a patient's identifier rows a Patient resource names, by primary key."""
    return {pk for pair in identifier_pairs(resource, server) for pk in rows_of_pair(*pair, among)}


def rows_of_pair(authority: str, value: str, among: Patient) -> set[int]:
    """Return the row, by primary key, of a patient's identifier; empty when he has no such one."""
    rows = PatientIdentifier.objects.filter(
        patient=among, authority=authority, value_digest=identifier_digest(authority, value)
    )
    return set(rows.values_list("pk", flat=True))


def give_identifiers(ids: Iterable[int], source: Patient, target: Patient) -> None:
    """Make these identifiers of one patient name another."""
    PatientIdentifier.objects.filter(pk__in=list(ids), patient=source).update(patient=target)
