"""Which documents of a patient add to which: an addendum is named with its parent, and the parent with its addenda."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from clinical.domain.relations import RelationKind
from clinical.models import DocumentRelation, ResourceVersion

if TYPE_CHECKING:
    from uuid import UUID

    from clinical.domain.access import AccessGrant

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Relative:
    """Another document: what it is to the one asked about ("addendum" or "parent"), and where it is found."""

    role: str
    resource: str
    version: str
    effective: str


class Addenda:
    """The addenda of one patient, read at the first question."""

    def __init__(self, patient_id: UUID) -> None:
        """Remember whose."""
        self._patient_id = patient_id

    def relatives_of(self, row: ResourceVersion) -> list[Relative]:
        """Return the parents of a document that is an addendum, then the addenda to it, oldest first."""
        if row.resource_type != "DocumentReference" or not self._pairs:
            return []
        identity = (row.server, row.resource_type, row.logical_id)
        parents = [self._current.get(parent) for added, parent in self._pairs if added == identity]
        addenda = [self._current.get(added) for added, parent in self._pairs if parent == identity]
        found = [_relative("parent", one) for one in parents if one is not None]
        later = [_relative("addendum", one) for one in addenda if one is not None]
        return found + sorted(later, key=lambda one: (one.effective, one.resource))

    def in_words(self, row: ResourceVersion) -> str:
        """Return what a person has to know beside a document's title, "" for one without relatives."""
        words = []
        for one in self.relatives_of(row):
            day = f" of {one.effective[:10]}" if one.effective else ""
            words.append(f"addendum to the document{day}" if one.role == "parent" else f"has an addendum{day}")
        return ", ".join(dict.fromkeys(words))

    @cached_property
    def _pairs(self) -> list[tuple[Identity, Identity]]:
        rows = DocumentRelation.objects.filter(
            patient_id=self._patient_id, kind=RelationKind.APPENDS, version__is_current=True, version__restricted=False
        ).values_list(
            "version__server",
            "version__resource_type",
            "version__logical_id",
            "server",
            "target_type",
            "target_id",
        )
        return [((one[0], one[1], one[2]), (one[3], one[4], one[5])) for one in rows]

    @cached_property
    def _current(self) -> dict[Identity, ResourceVersion]:
        ids = {identity[2] for pair in self._pairs for identity in pair}
        rows = ResourceVersion.objects.filter(
            patient_id=self._patient_id, logical_id__in=ids, is_current=True, deleted=False, restricted=False
        ).defer("content")
        return {(row.server, row.resource_type, row.logical_id): row for row in rows}


def relatives_of(grant: AccessGrant, row: ResourceVersion) -> list[Relative]:
    """Return what adds to a document of the granted patient, or what it adds to; restricted ones are left out."""
    return Addenda(grant.patient_id).relatives_of(row)


def _relative(role: str, row: ResourceVersion) -> Relative:
    return Relative(role, row.reference, str(row.number), row.effective)
