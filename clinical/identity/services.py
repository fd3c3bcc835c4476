"""Who a record belongs to: exact identifiers, never name or birth date."""

from __future__ import annotations

from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from clinical.domain.demographics import demographics_of, disagree
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.identity.search_terms import replace_search_terms
from clinical.keys import new_data_key
from clinical.models import CareTeamMember, Patient, PatientIdentifier, ResourceVersion
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from clinical.domain.demographics import Demographics


looked_up: ContextVar[Mapping[tuple[str, str], Patient]] = ContextVar("looked_up", default=MappingProxyType({}))
"""Identifiers that were looked up together (`clinical.identity.at_once`)."""


class UnassignedError(Exception):
    """The item's patient is not known, or not beyond doubt. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def identifier_digest(authority: str, value: str) -> str:
    """Return the keyed digest under which an identifier is held."""
    # A logical id is digested alike for every server, so that it can be looked up without naming one.
    purpose = FHIR_ID if authority.startswith(FHIR_ID) else authority
    return backends().master_key.digest(value, purpose=f"identifier {purpose}")


def find(authority: str, value: str) -> Patient | None:
    """Return the patient known by this identifier; one of an unknown authority finds nobody."""
    if not is_known(authority):
        return None
    if (held := looked_up.get().get((authority, value))) is not None:
        return held
    return (
        Patient.objects.filter(
            identifiers__authority=authority, identifiers__value_digest=identifier_digest(authority, value)
        )
        .select_related("data_key")
        .first()
    )


def find_by_known_id(logical_id: str) -> Patient | None:
    """Return the patient whose Patient.id this is, on whichever known server.

    Raises:
        UnassignedError: `ambiguous-id`, when two servers use it for different patients.
    """
    rows = PatientIdentifier.objects.filter(
        value_digest=identifier_digest(FHIR_ID, logical_id), authority__startswith=FHIR_ID
    ).select_related("patient__data_key")
    return _only({row.patient_id: row.patient for row in rows if is_known(row.authority)})


def find_by_fhir_id(logical_id: str) -> Patient | None:
    """Return the patient whom a person means by a Patient.id that he read here.

    Besides the ids of known servers that is the id of a Patient resource held here, whatever server it came
    from. It says nothing about whose record an incoming item is: that is `find_by_known_id`.

    Raises:
        UnassignedError: `ambiguous-id`, when it stands for different patients.
    """
    found = find_by_known_id(logical_id)
    if found is not None:
        return found
    held = ResourceVersion.objects.filter(
        logical_id=logical_id, resource_type="Patient", is_current=True, deleted=False, patient__isnull=False
    ).select_related("patient__data_key")
    return _only({row.patient.id: row.patient for row in held if row.patient is not None})


def patient_of_reference(server: str, logical_id: str) -> Patient:
    """Return the patient a resource names as Patient/<logical_id> on its server.

    A server's own id is an identifier: a patient first heard of in a reference is registered without
    demographics, and the Patient resource completes him when it comes.

    Raises:
        UnassignedError: `unknown-authority`, when the server is not one of those known here.
    """
    if not is_known(FHIR_ID + server):
        raise UnassignedError("unknown-authority")
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
        UnassignedError: `unknown-authority`, when neither an identifier nor the server is of an authority
            known here; `identifiers-name-two-patients`; `patient-being-erased`; `conflicting-demographics`
            when at least two of name, sex and birth date contradict what is held.
    """
    pairs = identifier_pairs(resource, server)
    if not pairs:
        raise UnassignedError("unknown-authority")
    found = {pair: patient for pair in pairs if (patient := find(*pair)) is not None}
    patients = {patient.id: patient for patient in found.values()}
    if len(patients) > 1:
        raise UnassignedError("identifiers-name-two-patients")
    if not patients:
        return _register(pairs)
    patient = next(iter(patients.values()))
    refuse_erased(patient)
    known = held(patient)
    if known is not None and disagree(known, demographics_of(resource)) >= 2:
        raise UnassignedError("conflicting-demographics")
    if fresh := [pair for pair in pairs if pair not in found]:
        _remember(patient, fresh)
    return patient


def refuse_erased(patient: Patient) -> None:
    """Take nothing in for a patient whose key is destroyed while his identifiers are still held.

    Raises:
        UnassignedError: `patient-being-erased`.
    """
    if patient.data_key.destroyed_at is not None:
        raise UnassignedError("patient-being-erased")


def identifier_pairs(resource: dict[str, Any], server: str) -> list[tuple[str, str]]:
    """Return the (authority, identifier) pairs that name a Patient resource's patient, its own id first.

    Those of an authority unknown here are left out: they are neither looked up nor remembered.
    """
    pairs = [(FHIR_ID + server, str(resource["id"]))] if resource.get("id") else []
    pairs.extend(
        (str(identifier["system"]), str(identifier["value"]))
        for identifier in resource.get("identifier", ())
        if identifier.get("system")
        and identifier.get("value")
        and identifier.get("use") != "old"
        and not str(identifier["system"]).startswith(FHIR_ID)  # no system may pose as a server's own id
    )
    return [pair for pair in pairs if is_known(pair[0])]


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


def _only(found: dict[UUID, Patient]) -> Patient | None:
    if len(found) > 1:
        raise UnassignedError("ambiguous-id")
    return next(iter(found.values()), None)


def _remember(patient: Patient, pairs: list[tuple[str, str]]) -> None:
    PatientIdentifier.objects.bulk_create(_identifiers(patient, pairs), ignore_conflicts=True)


def _identifiers(patient: Patient, pairs: Iterable[tuple[str, str]]) -> list[PatientIdentifier]:
    return [
        PatientIdentifier(patient=patient, authority=authority, value_digest=identifier_digest(authority, value))
        for authority, value in pairs
    ]
