"""Whom `Patient/x` means inside one file, and whether the file's own Patient x could be assigned.

The logical ids of a file that comes from no server known here are its own. Its Patient resource says by
identifiers of known authorities who x is; what else in the same file refers to x is about the same person, and
nothing outside it is. Where a file's Patient waits in the unassigned queue, all that refers to him waits with him,
wherever in the file it stands and after however many interruptions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from clinical.record.incoming import decode_resource
from ingestion.domain.items import ResourceItem

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from typing import BinaryIO

    from ingestion.domain.items import Item

Place = tuple[str, str]
"""Server and logical id of a Patient."""
# All that says who a patient is; the rest of the resource need not be held in memory.
_IDENTITY: Final = ("id", "identifier", "name", "gender", "birthDate")
_JSON_PATIENT: Final = re.compile(rb'"resourceType"\s*:\s*"Patient"')
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 128


class SameFile:
    """The Patient resources of one file by server and id; read at the first question, however far the job is."""

    def __init__(
        self,
        items: Callable[[], Iterator[Item]],
        *,
        opened: Callable[[], BinaryIO] | None = None,
        waiting: Callable[[], Container[int]] = frozenset,
    ) -> None:
        """Remember the file.

        Args:
            items: reads it anew.
            opened: opens its bytes, to see without parsing whether it holds a Patient at all; None parses.
            waiting: ordinals of its Patient items that went to the unassigned queue before an interruption.
        """
        self._items, self._opened, self._waiting = items, opened, waiting
        self._found: dict[Place, dict[str, Any]] | None = None
        self._assigned: set[Place] = set()
        self._refused: set[Place] = set()

    def patient(self, server: str, logical_id: str) -> dict[str, Any] | None:
        """Return what the file's Patient resource says about who it is; None when the file has none."""
        return self._read().get((server, logical_id))

    def note(self, item: ResourceItem, *, assigned: bool) -> None:
        """Remember what became of one of the file's Patient items."""
        place = (item.server, item.resource_id)
        (self._assigned if assigned else self._refused).add(place)

    def refuse(self, server: str, logical_id: str) -> None:
        """Remember that a Patient of the file cannot be assigned."""
        self._refused.add((server, logical_id))

    def is_assigned(self, server: str, logical_id: str) -> bool:
        """Return whether this run has assigned the file's Patient of this id."""
        return (server, logical_id) in self._assigned and (server, logical_id) not in self._refused

    def is_refused(self, server: str, logical_id: str) -> bool:
        """Return whether the file's Patient of this id waits in the unassigned queue."""
        place = (server, logical_id)
        if place not in self._refused and place not in self._assigned:
            self._read()
        return place in self._refused

    def _read(self) -> dict[Place, dict[str, Any]]:
        if self._found is None:
            self._found = {}
            waiting = self._waiting()
            for ordinal, item in enumerate(self._items() if self._may_describe() else ()):
                if isinstance(item, ResourceItem) and item.resource_type == "Patient" and not item.delete:
                    self._found[item.server, item.resource_id] = _identity(item)
                    if ordinal in waiting:
                        self._refused.add((item.server, item.resource_id))
        return self._found

    def _may_describe(self) -> bool:
        """Return whether the file may hold a Patient; a large file of results alone is not parsed twice."""
        if self._opened is None:
            return True
        with self._opened() as file:
            before, chunk = b"", file.read(_CHUNK)
            if not chunk.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
                return True  # no FHIR JSON: whatever it is, it is mapped, and one of many formats
            while chunk:
                if _JSON_PATIENT.search(before + chunk):
                    return True
                before, chunk = chunk[-_OVERLAP:], file.read(_CHUNK)
        return False


def _identity(item: ResourceItem) -> dict[str, Any]:
    resource = decode_resource(item.content)
    return {name: resource[name] for name in _IDENTITY if name in resource}
