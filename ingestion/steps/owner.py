"""Whose record an item belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clinical.domain.versions import NEEDS_PATIENT, owner_reference
from clinical.identity.services import (
    UnassignedError,
    find,
    find_by_fhir_id,
    patient_of_reference,
    patient_of_resource,
)
from clinical.models import ResourceVersion
from clinical.record.selectors import demographics_held

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from clinical.models import Patient
    from ingestion.domain.items import ResourceItem


Identity = tuple[str, str, str]
"""Server, type and id of a resource."""


@dataclass(slots=True)
class Held:
    """What is known about the resources of a batch before it is written."""

    owners: dict[Identity, UUID | None] = field(default_factory=dict)
    current: dict[Identity, str] = field(default_factory=dict)
    patients: dict[tuple[str, str], Patient] = field(default_factory=dict)


def held_of(items: Sequence[ResourceItem]) -> Held:
    """Return whose record each resource stands in already, and the sha256 of its current content."""
    rows = ResourceVersion.objects.filter(
        is_current=True, logical_id__in={item.resource_id for item in items}
    ).values_list("server", "resource_type", "logical_id", "patient_id", "sha256", "deleted")
    wanted = {identity_of(item) for item in items}
    held = Held()
    for server, resource_type, logical_id, patient_id, sha256, deleted in rows:
        identity = (server, resource_type, logical_id)
        if identity in wanted:
            held.owners[identity] = patient_id
            if not deleted:
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
    patient = _owner(item, resource, held)
    owner = None if patient is None else patient.id
    if held.owners.setdefault(identity_of(item), owner) != owner:
        raise UnassignedError("belongs-to-another-patient")
    return patient


def _owner(item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient | None:
    if item.delete:
        return _owner_of_held(item)
    if item.resource_type == "Patient":
        return patient_of_resource(resource, item.server, demographics_held)
    owner = owner_reference(resource)
    if owner is None:
        if item.resource_type in NEEDS_PATIENT:
            raise UnassignedError("no-patient-named")
        return None
    return _named(owner, item, resource, held)


def _named(owner: dict[str, Any], item: ResourceItem, resource: dict[str, Any], held: Held) -> Patient:
    reference = str(owner.get("reference", ""))
    kind, _, logical_id = reference.rpartition("/")
    if kind == "Patient" and logical_id:
        if is_note(resource):  # a person typed this id: it must be known
            found = find_by_fhir_id(logical_id)
            if found is None:
                raise UnassignedError("patient-unknown")
            return found
        place = (item.server, logical_id)
        if place not in held.patients:
            held.patients[place] = patient_of_reference(*place)
        return held.patients[place]
    identifier = owner.get("identifier") or {}
    if identifier.get("system") and identifier.get("value"):
        found = find(str(identifier["system"]), str(identifier["value"]))
        if found is not None:
            return found
        raise UnassignedError("patient-unknown")
    raise UnassignedError("subject-is-not-a-patient" if reference else "no-patient-named")


def is_note(resource: dict[str, Any]) -> bool:
    """Return whether the resource was made here from a note file whose patient a person typed."""
    tags = (resource.get("meta") or {}).get("tag", ())
    return any(tag.get("code") == "uploaded-note" for tag in tags)


def _owner_of_held(item: ResourceItem) -> Patient | None:
    held = (
        ResourceVersion.objects.filter(
            server=item.server, resource_type=item.resource_type, logical_id=item.resource_id
        )
        .select_related("patient")
        .order_by("-number")
        .first()
    )
    if held is None and item.resource_type in NEEDS_PATIENT:
        raise UnassignedError("deletes-what-is-not-held")
    return held.patient if held is not None else None
