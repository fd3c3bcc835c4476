"""Who a record belongs to: exact identifiers, never name or birth date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction

from clinical.domain.demographics import demographics_of, disagree
from clinical.identity.search_terms import replace_search_terms
from clinical.keys import new_data_key
from clinical.models import CareTeamMember, Patient, PatientIdentifier
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clinical.domain.demographics import Demographics

FHIR_ID: Final = "fhir:"


class UnassignedError(Exception):
    """The item's patient is not known, or not beyond doubt. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _digest(authority: str, value: str) -> str:
    # A logical id is digested alike for every server, so that it can be looked up without naming one.
    purpose = FHIR_ID if authority.startswith(FHIR_ID) else authority
    return backends().master_key.digest(value, purpose=f"identifier {purpose}")


def find(authority: str, value: str) -> Patient | None:
    """Return the patient known by this identifier."""
    return Patient.objects.filter(
        identifiers__authority=authority, identifiers__value_digest=_digest(authority, value)
    ).first()


def find_by_fhir_id(logical_id: str) -> Patient | None:
    """Return the patient whose Patient.id this is, on whichever server.

    Raises:
        UnassignedError: `ambiguous-id`, when two servers use it for different patients.
    """
    found = Patient.objects.filter(
        identifiers__value_digest=_digest(FHIR_ID, logical_id),
        identifiers__authority__startswith=FHIR_ID,
    ).distinct()[:2]
    if len(found) > 1:
        raise UnassignedError("ambiguous-id")
    return found[0] if found else None


def patient_of_reference(server: str, logical_id: str) -> Patient:
    """Return the patient a resource names as Patient/<logical_id> on its server.

    A server's own id is an identifier: a patient first heard of in a reference is registered without
    demographics, and the Patient resource completes him when it comes.
    """
    found = find(FHIR_ID + server, logical_id)
    if found is not None:
        return found
    return _register([(FHIR_ID + server, logical_id)])


def patient_of_resource(
    resource: dict[str, Any], server: str, held: Callable[[Patient], Demographics | None]
) -> Patient:
    """Return the patient a Patient resource describes; registers him when new.

    Args:
        resource: the FHIR R4 Patient.
        server: base URL of the server it came from, or "".
        held: returns the demographics held for a patient, if any.

    Raises:
        UnassignedError: `identifiers-name-two-patients`, or `conflicting-demographics` when at least
            two of name, sex and birth date contradict what is held.
    """
    pairs = identifier_pairs(resource, server)
    patients = {patient.id: patient for pair in pairs if (patient := find(*pair)) is not None}
    if len(patients) > 1:
        raise UnassignedError("identifiers-name-two-patients")
    if not patients:
        return _register(pairs)
    patient = next(iter(patients.values()))
    known = held(patient)
    if known is not None and disagree(known, demographics_of(resource)) >= 2:
        raise UnassignedError("conflicting-demographics")
    _remember(patient, pairs)
    return patient


def identifier_pairs(resource: dict[str, Any], server: str) -> list[tuple[str, str]]:
    """Return the (authority, identifier) pairs of a Patient resource, its own id first."""
    pairs = [(FHIR_ID + server, str(resource["id"]))] if resource.get("id") else []
    pairs.extend(
        (str(identifier["system"]), str(identifier["value"]))
        for identifier in resource.get("identifier", ())
        if identifier.get("system") and identifier.get("value") and identifier.get("use") != "old"
    )
    return pairs


def complete(patient: Patient, resource: dict[str, Any]) -> None:
    """Make the patient findable by what his current Patient resource says."""
    replace_search_terms(patient, resource)


def _register(pairs: list[tuple[str, str]]) -> Patient:
    """Make a new patient known by these pairs.

    Raises:
        django.db.IntegrityError: another writer registered one of them meanwhile; look again. Were that
            ignored, one person's record would stand under two patients, one of whom nobody finds.
    """
    with transaction.atomic():
        patient = Patient.objects.create(data_key=new_data_key())
        PatientIdentifier.objects.bulk_create(_identifiers(patient, dict.fromkeys(pairs)))
        CareTeamMember.objects.bulk_create(
            [CareTeamMember(patient=patient, user_id=user) for user in settings.CLINICAL_DEFAULT_CARE_TEAM]
        )
    return patient


def _remember(patient: Patient, pairs: list[tuple[str, str]]) -> None:
    PatientIdentifier.objects.bulk_create(_identifiers(patient, pairs), ignore_conflicts=True)


def _identifiers(patient: Patient, pairs: Iterable[tuple[str, str]]) -> list[PatientIdentifier]:
    return [
        PatientIdentifier(patient=patient, authority=authority, value_digest=_digest(authority, value))
        for authority, value in pairs
    ]
