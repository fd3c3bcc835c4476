"""Which items of a received file are about one patient, which about somebody else, and which about nobody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clinical.domain.traces import PATIENT_REFERENCE
from clinical.domain.versions import NEEDS_PATIENT, owner_reference
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.models import ResourceVersion
from clinical.record.incoming import decode_resource
from ingestion.domain.items import GuidelineItem, MergeItem, RejectedItem, ResourceItem
from ingestion.domain.redaction import piece
from ingestion.steps.owner import identity_of, is_note

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from clinical.domain.traces import Traces
    from ingestion.domain.items import Item
    from ingestion.steps.same_file import SameFile

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Fate(StrEnum):
    """What an item is to a patient who is being erased."""

    HIS = "his"
    OTHERS = "others"  # somebody else's
    NOBODYS = "nobodys"  # a Practitioner, an Organization, a guideline
    UNKNOWN = "unknown"  # refused, a merge, or it names nobody: only its bytes can tell


@dataclass(slots=True)
class Verdict:
    """What becomes of a document: `changes` as `ingestion.domain.redaction.without` takes them."""

    changes: dict[str, bytes | None] = field(default_factory=dict)
    others: bool = False

    def add(self, other: Verdict) -> None:
        """Take in the verdict on another part of the same file."""
        self.changes |= other.changes
        self.others |= other.others


class Whose:
    """Decides for one patient over the items of one file."""

    def __init__(self, traces: Traces, patient_id: UUID, file: SameFile) -> None:
        self._traces, self._patient_id, self._file = traces, patient_id, file
        self._ids = frozenset(one for one in traces.ids if is_known(FHIR_ID + one[0]))
        self._typed = frozenset(logical_id for _, logical_id in traces.ids)

    def verdict(self, document: bytes, place: str, items: Iterable[Item]) -> Verdict:
        """Decide over the items of one JSON document, or of a whole file of any format (place "")."""
        found = Verdict()
        for item in items:
            fate, change = self._fate(item)
            if fate is Fate.UNKNOWN and self._traces.are_named_in(piece(document, place, item.position)):
                fate = Fate.HIS
            if fate is Fate.HIS:
                parts = item.parts if isinstance(item, ResourceItem) else ()
                found.changes |= dict.fromkeys((item.position, *parts))
            elif change is not None:
                found.changes[item.position] = change
            found.others |= fate is Fate.OTHERS or change is not None
        return found

    def _fate(self, item: Item) -> tuple[Fate, bytes | None]:
        match item:
            case RejectedItem() | MergeItem():
                return Fate.UNKNOWN, None
            case GuidelineItem():
                return Fate.NOBODYS, None
            case ResourceItem(delete=True):
                return (Fate.HIS if identity_of(item) in self._traces.resources else Fate.OTHERS), None
            case ResourceItem():
                return self._fate_of_resource(item)

    def _fate_of_resource(self, item: ResourceItem) -> tuple[Fate, bytes | None]:
        digest = hashlib.sha256(item.content).hexdigest()
        held = digest in self._traces.digests
        resource = decode_resource(item.content)
        if self._is_about_him(item, resource):
            # An identifier that two people were given does not take the other's record along.
            return (Fate.HIS if held or not self._is_held_elsewhere(item, digest) else Fate.OTHERS), None
        if held:  # two people's files may hold the same bytes, each meaning its own "Patient/x"
            others = self._means_another(item, resource) or self._is_held_elsewhere(item, digest)
            return (Fate.OTHERS if others else Fate.HIS), None
        if item.resource_type == "Patient" or owner_reference(resource) is not None:
            return Fate.OTHERS, None
        if item.resource_type in NEEDS_PATIENT:
            return Fate.UNKNOWN, None
        return self._nobodys(item, resource)

    def _is_held_elsewhere(self, item: ResourceItem, digest: str) -> bool:
        rows = ResourceVersion.objects.filter(logical_id=item.resource_id, sha256=digest, patient__isnull=False)
        return rows.exclude(patient=self._patient_id).exists()

    def _means_another(self, item: ResourceItem, resource: dict[str, Any]) -> bool:
        """Return whether the file itself describes whom this resource names, as somebody who is not he."""
        named = PATIENT_REFERENCE.match(str((owner_reference(resource) or {}).get("reference", "")))
        place = (named[1] or item.server, named[2]) if named else ("", "")
        return named is not None and not is_known(FHIR_ID + place[0]) and self._file.patient(*place) is not None

    def _is_about_him(self, item: ResourceItem, resource: dict[str, Any]) -> bool:
        ids = set(self._ids)
        named = PATIENT_REFERENCE.match(str((owner_reference(resource) or {}).get("reference", "")))
        if named:
            place = (named[1] or item.server, named[2])
            described = None if is_known(FHIR_ID + place[0]) else self._file.patient(*place)
            if described is not None and self._traces.are_of(
                {"resourceType": "Patient", **described}, place[0], self._ids
            ):
                ids.add(place)
            if is_note(resource) and named[2] in self._typed:
                return True
        return self._traces.are_of(resource, item.server, ids)

    def _nobodys(self, item: ResourceItem, resource: dict[str, Any]) -> tuple[Fate, bytes | None]:
        if not self._traces.are_identified_in(item.content):
            return Fate.NOBODYS, None
        rest = self._traces.without(resource, item.server)
        if rest is None:
            return Fate.HIS, None
        return Fate.NOBODYS, None if rest == resource else _encode(rest)
