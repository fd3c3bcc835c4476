"""Whom `Patient/x` means inside one file that comes from no server known here.

The logical ids of such a file are its own. Its Patient resource says by identifiers of known authorities
who x is; what else in the same file refers to x is about the same person, and nothing outside it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clinical.record.incoming import decode_resource
from ingestion.domain.items import ResourceItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingestion.domain.items import Item

# All that says who a patient is; the rest of the resource need not be held in memory.
_IDENTITY: Final = ("id", "identifier", "name", "gender", "birthDate")


class SameFile:
    """The Patient resources of one file by server and id; read at the first question, however far the job is."""

    def __init__(self, items: Callable[[], Iterator[Item]]) -> None:
        self._items = items
        self._found: dict[tuple[str, str], dict[str, Any]] | None = None

    def patient(self, server: str, logical_id: str) -> dict[str, Any] | None:
        """Return what the file's Patient resource says about who it is; None when the file has none."""
        if self._found is None:
            self._found = {
                (item.server, item.resource_id): _identity(item)
                for item in self._items()
                if isinstance(item, ResourceItem) and item.resource_type == "Patient" and not item.delete
            }
        return self._found.get((server, logical_id))


def _identity(item: ResourceItem) -> dict[str, Any]:
    resource = decode_resource(item.content)
    return {name: resource[name] for name in _IDENTITY if name in resource}
