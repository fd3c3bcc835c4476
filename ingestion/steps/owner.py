"""Whose record an item belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from clinical.domain.versions import NEEDS_PATIENT, owner_reference
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.identity.services import (
    UnassignedError,
    find,
    find_by_known_id,
    patient_of_reference,
    patient_of_resource,
    refuse_erased,
)
from clinical.models import ResourceVersion
from clinical.record.consent import CONSENT, WITHDRAWN, Rules, rules_of
from clinical.record.selectors import demographics_held
from clinical.record.withdrawal import is_withdrawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from clinical.domain.demographics import Demographics
    from clinical.models import Patient
    from ingestion.domain.items import ResourceItem
    from ingestion.steps.same_file import SameFile


Identity = tuple[str, str, str]
"""Server, type and id of a resource."""
# Literal references as https://hl7.org/fhir/R4/references.html#literal gives them, to a Patient.
_PATIENT: Final = re.compile(r"^(?:(https?://.+)/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")

BINARY: Final = "Binary"
PATIENT_UNASSIGNED: Final = "patient-unassigned"
ANOTHERS: Final = "belongs-to-another-patient"


@dataclass(slots=True)
class Held:
    """What is known about the resources of a batch before it is written; `file` is the one they stand in."""

    file: SameFile | None = None
    owners: dict[Identity, UUID | None] = field(default_factory=dict)
    current: dict[Identity, str] = field(default_factory=dict)
    deleted: set[Identity] = field(default_factory=set)
    patients: dict[tuple[str, str], Patient] = field(default_factory=dict)
    withdrawn: dict[tuple[UUID, str], bool] = field(default_factory=dict)
    consents: dict[UUID, Rules] = field(default_factory=dict)
    described: dict[UUID, Demographics | None] = field(default_factory=dict)

    def demographics(self, patient: Patient) -> Demographics | None:
        """Return the demographics held for a patient."""
        return self.described[patient.id] if patient.id in self.described else demographics_held(patient)

    def rules(self, patient: Patient) -> Rules:
        """Return what the patient's Consents say; asked for once a batch."""
        if patient.id not in self.consents:
            self.consents[patient.id] = rules_of(patient.id, now=timezone.now())
        return self.consents[patient.id]


def held_of(items: Sequence[ResourceItem], file: SameFile | None = None) -> Held:
    """Return whose record each resource stands in already, and the sha256 of its current content."""
    rows = ResourceVersion.objects.filter(
        is_current=True, logical_id__in={item.resource_id for item in items}
    ).values_list("server", "resource_type", "logical_id", "patient_id", "sha256", "deleted")
    wanted = {identity_of(item) for item in items}
    held = Held(file)
    for server, resource_type, logical_id, patient_id, sha256, deleted in rows:
        identity = (server, resource_type, logical_id)
        if identity in wanted:
            held.owners[identity] = patient_id
            if deleted:
                held.deleted.add(identity)
            else:
                held.current[identity] = sha256
    return held


def identity_of(item: ResourceItem) -> Identity:
    """Return what makes versions versions of one resource."""
    return (item.server, item.resource_type, item.resource_id)


def owner_of(item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient | None:
    """Return the patient, or None for a resource that belongs to none (Practitioner, Organization ...).

    A version never moves a resource into another patient's record: a person has to look at that.

    Raises:
        UnassignedError: it says something about a patient, but not beyond doubt about whom.
    """
    described = item.resource_type == "Patient" and not item.delete and held.file is not None
    try:
        patient = _checked(item, resource, held)
    except UnassignedError as error:
        # Whose the file's x is can be certain though its Patient resource has an id that somebody else's has.
        if described and held.file is not None and error.reason != ANOTHERS:
            held.file.note(item, assigned=False)
        raise
    if described and held.file is not None:
        held.file.note(item, assigned=True)
    return patient


def _checked(item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient | None:
    if item.hold:
        raise UnassignedError(item.hold)
    patient = _owner(item, resource, held)
    if patient is not None:
        refuse_erased(patient)
        _refuse_withdrawn(item, resource, patient, held)
    owner = None if patient is None else patient.id
    if held.owners.setdefault(identity_of(item), owner) != owner:
        raise UnassignedError(ANOTHERS)
    return patient


def _refuse_withdrawn(item: ResourceItem, resource: dict[str, Any], patient: Patient, held: Held) -> None:
    """Let what is said of a patient wait whom its source has deleted, or who has withdrawn his consent.

    Raises:
        UnassignedError: `patient-deleted`, `consent-withdrawn`.
    """
    place = (patient.id, item.server)
    if item.resource_type == "Patient":
        held.withdrawn[place] = item.delete
    elif not item.delete:
        if place not in held.withdrawn:
            held.withdrawn[place] = is_withdrawn(*place)
        if held.withdrawn[place]:
            raise UnassignedError("patient-deleted")
        if item.resource_type != CONSENT and held.rules(patient).withhold(resource):
            raise UnassignedError(WITHDRAWN)


def _owner(item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient | None:
    if item.delete:
        return _owner_of_held(item)
    if item.resource_type == "Patient":
        return patient_of_resource(resource, item.server, held.demographics)
    if item.resource_type == BINARY:  # it names nobody; one that a document has taken up is of that document's patient
        return _owner_of_held(item)
    owner = owner_reference(resource)
    if owner is None:
        if item.resource_type in NEEDS_PATIENT:
            raise UnassignedError("no-patient-named")
        return None
    return _named(owner, item, resource, held)


def _named(owner: dict[str, Any], item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient:
    reference = str(owner.get("reference", ""))
    if named := _PATIENT.match(reference):
        server, logical_id = named[1] or item.server, named[2]
        if is_note(resource):  # a person typed this id: it must be known
            found = find_by_known_id(logical_id)
            if found is None:
                raise UnassignedError("patient-unknown")
            return found
        place = (server, logical_id)
        if place not in held.patients:
            held.patients[place] = _referred_to(server, logical_id, held)
        return held.patients[place]
    identifier = owner.get("identifier") or {}
    if identifier.get("system") and identifier.get("value"):
        system = str(identifier["system"])
        if system.startswith(FHIR_ID) or not is_known(system):
            raise UnassignedError("unknown-authority")
        found = find(system, str(identifier["value"]))
        if found is not None:
            return found
        raise UnassignedError("patient-unknown")
    raise UnassignedError("subject-is-not-a-patient" if reference else "no-patient-named")


def _referred_to(server: str, logical_id: str, held: Held) -> Patient:
    """Return whom Patient/<logical_id> means: the server's patient, or the one that the same file describes.

    Raises:
        UnassignedError: `patient-unassigned`, when the file's own Patient of this id waits for a person.
    """
    file = held.file
    if file is None or (is_known(FHIR_ID + server) and file.is_assigned(server, logical_id)):
        return patient_of_reference(server, logical_id)
    if file.is_refused(server, logical_id):
        raise UnassignedError(PATIENT_UNASSIGNED)
    described = file.patient(server, logical_id)
    if described is None:
        return patient_of_reference(server, logical_id)
    try:
        return patient_of_resource(described, server, held.demographics)
    except UnassignedError:
        file.refuse(server, logical_id)
        raise UnassignedError(PATIENT_UNASSIGNED) from None


def is_note(resource: dict[str, Any]) -> bool:
    """Return whether the resource was made here from a note file whose patient a person typed."""
    tags = (resource.get("meta") or {}).get("tag", ())
    return any(tag.get("code") == "uploaded-note" for tag in tags)


def _owner_of_held(item: ResourceItem) -> Patient | None:
    held = (
        ResourceVersion.objects.filter(
            server=item.server, resource_type=item.resource_type, logical_id=item.resource_id
        )
        .select_related("patient__data_key")
        .order_by("-number")
        .first()
    )
    if held is None and item.resource_type in NEEDS_PATIENT:
        raise UnassignedError("deletes-what-is-not-held")
    return held.patient if held is not None else None
