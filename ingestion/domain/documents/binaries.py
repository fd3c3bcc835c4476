"""Puts the bytes of a Bundle's Binary resources into the attachments that name them by URL.

A document's words must stand under its patient's key, be cited from its own resource and go when it goes; a Binary
names no patient. So one that an attachment of the same Bundle names becomes part of it and is not kept by itself; one
that comes by itself, before or after the document, is put in when both are there (`ingestion.steps.binaries`).

Source: HL7 FHIR R4 4.0.1, Attachment.url ("a reference to a Binary") and Binary
(https://hl7.org/fhir/R4/binary.html).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clinical.domain.json_spans import locate
from ingestion.domain.documents.attachments import HOLDERS
from ingestion.domain.items import ResourceItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ingestion.domain.items import Item

_TYPE: Final = "Binary"
_URL: Final = re.compile(r"(?:(https?://.+)/)?Binary/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_MENTION: Final = re.compile(rb"Binary/[A-Za-z0-9]")


class _Binary(msgspec.Struct):
    contentType: str = ""  # noqa: N815 - FHIR's names
    data: str = ""


_binary: Final = msgspec.json.Decoder(_Binary).decode
Place = tuple[str, str]
"""Server and id of a Binary."""


def with_binaries(items: Iterable[Item], document: bytes) -> Iterator[Item]:
    """Yield the items of one JSON document; a Binary that was put into an attachment is left out.

    A Binary that nothing names is yielded as it came, and so is an attachment whose Binary is not here.
    """
    if b'"Binary"' not in document:
        yield from items
        return
    held = list(items)
    binaries = {
        (item.server, item.resource_id): item
        for item in held
        if isinstance(item, ResourceItem) and item.resource_type == _TYPE and not item.delete
    }
    done = [_with_parts(item, binaries) if isinstance(item, ResourceItem) else item for item in held]
    gone = {position for item in done if isinstance(item, ResourceItem) for position in item.parts}
    yield from (item for item in done if item.position not in gone)


def _with_parts(item: ResourceItem, binaries: dict[Place, ResourceItem]) -> ResourceItem:
    done, used = filled(item, lambda place: binaries[place].content if place in binaries else None)
    return replace(done, parts=tuple(binaries[place].position for place in used)) if used else done


def names_binary(item: ResourceItem) -> bool:
    """Return whether an attachment of a resource may have its bytes in a Binary; quick."""
    return item.resource_type in HOLDERS and not item.delete and _MENTION.search(item.content) is not None


def filled(item: ResourceItem, binary_of: Callable[[Place], bytes | None]) -> tuple[ResourceItem, list[Place]]:
    """Return a resource with the bytes of the Binaries that its attachments name, and which these were.

    Args:
        item: a resource; one whose attachment has its bytes already keeps them.
        binary_of: returns the JSON of the Binary of a server and id, None where there is none.
    """
    if not names_binary(item):
        return item, []
    resource: dict[str, Any] = msgspec.json.decode(item.content)
    text = item.content.decode("utf-8")
    used: list[Place] = []
    # From the last to the first: what is put in must not move the places of the others.
    for path, attachment in reversed(list(_attachments(item.resource_type, resource))):
        named = _URL.match(str(attachment.get("url", "")))
        if not named or "data" in attachment:
            continue
        place = (named[1] or item.server, named[2])
        found = binary_of(place)
        binary = _binary(found) if found is not None else _Binary()
        if not binary.data:
            continue
        start = locate(text, path)[0] + 1
        added = {"data": binary.data} | ({} if "contentType" in attachment else {"contentType": binary.contentType})
        text = f"{text[:start]}{msgspec.json.encode(added).decode()[1:-1]},{text[start:]}"
        used.append(place)
    return (replace(item, content=text.encode("utf-8")), used) if used else (item, used)


def refilled(item: ResourceItem, binary_of: Callable[[Place], bytes | None]) -> ResourceItem:
    """Return a resource with other bytes where a Binary of its own Bundle had been put in.

    Args:
        item: as `with_binaries` yields it.
        binary_of: returns the JSON of a later version of a Binary, None where the Bundle's own still holds.
    """
    if not item.parts or not names_binary(item):
        return item
    resource: dict[str, Any] = msgspec.json.decode(item.content)
    text = item.content.decode("utf-8")
    for path, attachment in reversed(list(_attachments(item.resource_type, resource))):
        named = _URL.match(str(attachment.get("url", "")))
        found = binary_of((named[1] or item.server, named[2])) if named and "data" in attachment else None
        data = _binary(found).data if found is not None else ""
        former, start = _member(str(attachment.get("data"))), locate(text, path)[0] + 1
        if data and text.startswith(former, start):  # at the place where it was put in, not the sender's own
            text = f"{text[:start]}{_member(data)}{text[start + len(former) :]}"
    return replace(item, content=text.encode("utf-8"))


def _member(data: str) -> str:
    return msgspec.json.encode({"data": data}).decode()[1:-1]


def _attachments(
    resource_type: str, resource: dict[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Yield each attachment with its path."""
    holder = HOLDERS[resource_type]
    value = resource.get(holder)
    if isinstance(value, dict):
        yield (holder,), value
        return
    for index, one in enumerate(value or ()):
        if holder == "presentedForm":
            yield (holder, index), one
        elif isinstance(one.get("attachment"), dict):
            yield (holder, index, "attachment"), one["attachment"]
