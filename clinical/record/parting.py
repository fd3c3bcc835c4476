"""What of a record made of two goes back to the merged patient when the merge is undone.

All that came from him; every version of a resource of which a version came from him, since a correction of his
result is his; and what arrived since under his own identifiers. The rest stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from clinical.domain.traces import PATIENT_REFERENCE
from clinical.domain.versions import owner_reference
from clinical.identity.authorities import FHIR_ID
from clinical.identity.merge import identifiers_of, rows_of_pair
from clinical.models import ResourceVersion
from clinical.record.selectors import resource_of

if TYPE_CHECKING:
    from clinical.models import Patient, PatientMerge

Place = tuple[str, str]
_TOGETHER: Final = 400


@dataclass(frozen=True, slots=True)
class Back:
    """Primary keys of versions and identifiers."""

    versions: frozenset[int]
    identifiers: frozenset[int]


def what_goes_back(record: PatientMerge) -> Back:
    """Return what the merged patient is given back; read in the transaction that gives it."""
    survivor = record.survivor
    came = set(record.moved["versions"])
    identities = _identities(survivor, came)
    identifiers = set(record.moved["identifiers"])
    held = ResourceVersion.objects.filter(patient=survivor)
    versions = came & set(held.values_list("pk", flat=True))
    later = [row for row in held.filter(pk__gt=record.moved["last_version"]) if row.pk not in came]
    of_same = [row for row in later if (row.server, row.resource_type, row.logical_id) in identities]
    versions |= {row.pk for row in of_same}
    places = {(server, logical_id) for server, kind, logical_id in identities if kind == "Patient"}
    patients = [row for row in later if row.resource_type == "Patient" and not row.deleted]
    for row in patients:
        named = identifiers_of(resource_of(row), row.server, among=survivor)
        if row.pk in versions or named & identifiers:
            versions.add(row.pk)
            places.add((row.server, row.logical_id))
    identifiers |= _identifiers_since(survivor, patients, versions)
    for row in later:
        if row.pk not in versions and row.resource_type != "Patient" and _names(row, survivor, places, identifiers):
            versions.add(row.pk)
    return Back(frozenset(versions), frozenset(identifiers))


def _identities(survivor: Patient, came: set[int]) -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    chosen = sorted(came)
    for start in range(0, len(chosen), _TOGETHER):
        rows = ResourceVersion.objects.filter(Q(patient=survivor), pk__in=chosen[start : start + _TOGETHER])
        found |= set(rows.values_list("server", "resource_type", "logical_id"))
    return found


def _identifiers_since(survivor: Patient, patients: list[ResourceVersion], going: set[int]) -> set[int]:
    """Return the identifiers that only Patient resources which go back have named."""
    named: dict[bool, set[int]] = {True: set(), False: set()}
    for row in patients:
        named[row.pk in going] |= identifiers_of(resource_of(row), row.server, among=survivor)
    stays = ResourceVersion.objects.filter(patient=survivor, resource_type="Patient", deleted=False)
    for row in stays.exclude(pk__in=going | {row.pk for row in patients}):
        named[False] |= identifiers_of(resource_of(row), row.server, among=survivor)
    return named[True] - named[False]


def _names(row: ResourceVersion, survivor: Patient, places: set[Place], identifiers: set[int]) -> bool:
    resource: dict[str, Any] = {} if row.deleted else resource_of(row)
    owner = owner_reference(resource) or {} if resource else {}
    named = PATIENT_REFERENCE.match(str(owner.get("reference", "")))
    if named:
        place = (named[1] or row.server, named[2])
        return place in places or bool(rows_of_pair(FHIR_ID + place[0], place[1], survivor) & identifiers)
    given = owner.get("identifier") or {}
    pair = (str(given.get("system", "")), str(given.get("value", "")))
    return bool(all(pair) and rows_of_pair(*pair, survivor) & identifiers)
