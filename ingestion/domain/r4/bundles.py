"""Takes a FHIR R4 Bundle or a single resource apart into items (https://hl7.org/fhir/R4/bundle.html).

Taken in: the resources of transaction, batch, collection, searchset, document, history and message Bundles,
and Bundles inside a Bundle. DELETE entries become deletions. Each entry that is no valid R4 record is
rejected with its position; the others go in. A Bundle whose own JSON is broken is rejected as a whole,
because nobody can say what it lost.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from ingestion.domain.items import Item, RejectedItem, ResourceItem
from ingestion.domain.r4.check import check_but_duplicates, resource_type_of
from ingestion.domain.r4.envelope import OpenBundle, OpenEntry, open_bundle, open_loose
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.json_rules import bad_utf8_at, colons, mark_lone_surrogates, names_key_twice
from ingestion.domain.r4.primitives import ID
from ingestion.domain.r4.references import ReferenceMap, split_full_url
from ingestion.domain.r4.tables import is_resource_type

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BUNDLES_INSIDE = 4
ERASED_ENTRY = "urn:clinical-appliance:erased"
"""The fullUrl, and all there is, of an entry that was taken out when its patient was erased."""
_NAMESPACE = uuid.UUID("7d0d2f1e-8f0a-5c36-9a43-0e7a5f3f6a55")
_TARGET = re.compile(r"^(?:(https?://.+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})$")
_ID = re.compile(ID)
_DUPLICATE = "duplicate-key"
_NOT_RECORDS = frozenset({"PATCH", "GET", "HEAD"})


@dataclass(slots=True)
class _Entry:
    """A valid resource: `original` as it came, `content` with its id, `colons` as in `CheckedResource`."""

    position: str
    full_url: str
    resource_type: str
    resource_id: str
    content: bytes
    original: bytes
    colons: int


def read_fhir(content: bytes, *, max_resource_bytes: int, position: str = "") -> Iterator[Item]:
    """Yield the items of one JSON document: a Bundle or a single resource.

    A resource without an id is given the one its fullUrl names, else a UUID made from its bytes, so that
    reading the same bytes again gives the same id. A history Bundle is yielded oldest first.

    Args:
        content: the whole document, without a byte order mark.
        max_resource_bytes: a larger resource is rejected as "resource-too-large".
        position: where the document stands in its file, for the items' own positions.
    """
    yield from _Reader(max_resource_bytes).document(content, position)


class _Reader:
    def __init__(self, max_resource_bytes: int) -> None:
        self._limit = max_resource_bytes

    def document(self, content: bytes, place: str) -> Iterator[Item]:
        """Yield the items of a document; those of a Bundle with references resolved."""
        try:
            if resource_type_of(content) == "Bundle":
                yield from self._bundle(content, place, 0)
                return
        except InvalidResourceError as error:
            yield _rejected(place, error.issue, content)
            return
        for found in self._found(content, place, None, 0):
            if isinstance(found, _Entry):
                yield ResourceItem(place, found.resource_type, found.resource_id, found.content)
            else:
                yield found

    def _found(self, content: bytes, place: str, entry: Any, depth: int) -> list[_Entry | Item]:  # noqa: ANN401 - built
        """Return what a document holds; a single resource keeps its references as they are."""
        try:
            resource_type = resource_type_of(content)
            if resource_type == "Bundle":
                if depth > MAX_BUNDLES_INSIDE:
                    return [RejectedItem(place, "too-deep", "Bundle")]
                return list(self._bundle(content, place, depth))
            found = self._checked(content, resource_type, place, entry)
        except InvalidResourceError as error:
            return [_rejected(place, error.issue, content)]
        alone = depth == 0
        return [_without_duplicates(found) if alone and colons(content) != found.colons else found]

    def _checked(self, content: bytes, resource_type: str, place: str, entry: Any) -> _Entry:  # noqa: ANN401 - built
        if len(content) > self._limit:
            raise InvalidResourceError(Issue("resource-too-large"))
        checked = check_but_duplicates(content, resource_type)
        resource_id = checked.resource_id
        stored = content
        if not resource_id:
            resource_id = _id_for(content, entry)
            at = content.index(b"{") + 1
            stored = content[:at] + f'"id":"{resource_id}",'.encode() + content[at:]
        full_url = "" if entry is None or entry.fullUrl is UNSET else entry.fullUrl
        return _Entry(place, full_url, checked.resource_type, resource_id, stored, content, checked.colons)

    def _bundle(self, content: bytes, position: str, depth: int) -> Iterator[Item]:
        bundle = _opened(content)
        accepted, seen = self._entries(bundle, position, depth)
        if bundle.colons is None or seen != colons(content):
            if bundle.colons is not None:
                accepted, _ = self._entries(open_loose(content), position, depth)
            accepted = [_without_duplicates(found) for found in accepted]
            told = any(isinstance(found, RejectedItem) and found.reason == _DUPLICATE for found in accepted)
            if not told and names_key_twice(bundle.document):
                raise InvalidResourceError(Issue(_DUPLICATE, "Bundle"))
        if bundle.type == "history":
            accepted.reverse()
        references = ReferenceMap(lambda kind: _of_type(accepted, kind))
        for found in accepted:
            if isinstance(found, _Entry) and found.full_url:
                references.add(found.full_url, found.resource_type, found.resource_id)
        for found in accepted:
            yield _resolved(found, references) if isinstance(found, _Entry) else found

    def _entries(self, bundle: OpenBundle, position: str, depth: int) -> tuple[list[_Entry | Item], int]:
        """Return what the entries hold and how many colons were seen in reading them."""
        accepted: list[_Entry | Item] = []
        seen = bundle.colons or 0
        for index, entry in enumerate(bundle.entries):
            status = index == 0 and _tells_status(bundle.type, entry)
            found = [] if status else self._entry(entry, _place(position, index), depth)
            accepted += found
            first = found[0] if len(found) == 1 else None
            seen += first.colons if isinstance(first, _Entry) else entry.resource.count(b":")
        return accepted, seen

    def _entry(self, entry: OpenEntry, place: str, depth: int) -> list[_Entry | Item]:
        struct = entry.struct
        if isinstance(struct, Issue):
            return [RejectedItem(place, struct.code, struct.path)]
        if struct.fullUrl == ERASED_ENTRY:
            return []
        request = struct.request
        method = "" if request is UNSET else request.method
        if method == "DELETE":
            return [_deletion(request.url, place, "" if struct.fullUrl is UNSET else struct.fullUrl)]
        if method in _NOT_RECORDS:
            return [RejectedItem(place, "not-a-record", "Bundle.entry.request.method")]
        if struct.search is not UNSET and struct.search.mode == "outcome":
            return [RejectedItem(place, "outcome-entry", "Bundle.entry.search.mode")]
        if not entry.resource:
            return [RejectedItem(place, "no-resource", "Bundle.entry.resource")]
        return self._found(entry.resource, place, struct, depth + 1)


def _tells_status(bundle_type: str, entry: OpenEntry) -> bool:
    """Return whether an entry is the status that comes first in a Subscription notification; it is no record."""
    try:
        return bundle_type == "history" and resource_type_of(entry.resource) == "Parameters"
    except InvalidResourceError:
        return False


def _opened(content: bytes) -> OpenBundle:
    try:
        return open_bundle(content)
    except InvalidResourceError:
        marked = mark_lone_surrogates(content)
        if marked == content:
            raise
    return open_bundle(marked)


def _without_duplicates(found: _Entry | Item) -> _Entry | Item:
    if isinstance(found, _Entry) and names_key_twice(found.original):
        return RejectedItem(found.position, _DUPLICATE, found.resource_type)
    return found


def _of_type(accepted: list[_Entry | Item], resource_type: str) -> list[tuple[str, bytes]]:
    entries = (found for found in accepted if isinstance(found, _Entry))
    return [(e.resource_id, e.content) for e in entries if e.resource_type == resource_type]


def _place(position: str, index: int) -> str:
    joint = "." if position.endswith("]") else " "
    return f"{position}{joint}entry[{index}]" if position else f"entry[{index}]"


def _id_for(content: bytes, entry: Any) -> str:  # noqa: ANN401 - a Struct built at run time, or None
    named = ""
    if entry is not None and entry.fullUrl is not UNSET:
        named = split_full_url(entry.fullUrl)[1]
    if not named and entry is not None and entry.request is not UNSET:
        target = _TARGET.match(entry.request.url)
        named = target[3] if target else ""
    return named if _ID.match(named) else str(uuid.uuid5(_NAMESPACE, sha256(content).hexdigest()))


def _resolved(entry: _Entry, references: ReferenceMap) -> ResourceItem:
    server = split_full_url(entry.full_url)[0] if entry.full_url.startswith("http") else ""
    content = references.resolve(entry.content, server)
    return ResourceItem(entry.position, entry.resource_type, entry.resource_id, content, server=server)


def _deletion(url: str, place: str, full_url: str) -> Item:
    target = _TARGET.match(url)
    if not target or not is_resource_type(target[2]):
        return RejectedItem(place, "conditional-delete", "Bundle.entry.request.url")
    server = split_full_url(full_url)[0] or target[1] or ""
    return ResourceItem(place, target[2], target[3], b"", delete=True, server=server)


def _rejected(position: str, issue: Issue, content: bytes) -> RejectedItem:
    """Name the place of the fault: the element's path, or for broken bytes the offset."""
    detail = issue.path
    if issue.code == "not-utf8":
        detail = f"byte {bad_utf8_at(content)}"
    elif issue.code in {"malformed-json", "truncated-json"}:
        if mark_lone_surrogates(content) != content:
            return RejectedItem(position, "invalid-character")
        detail = _byte_of_fault(content)
    return RejectedItem(position, issue.code, detail)


def _byte_of_fault(content: bytes) -> str:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        offset = re.search(r"\(byte (\d+)\)", str(error))
        if offset:
            return f"byte {offset[1]}"
    except RecursionError:
        pass
    return f"byte {len(content)}"
