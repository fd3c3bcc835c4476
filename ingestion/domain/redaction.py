"""Takes items out of the bytes of a FHIR JSON document, and leaves the bytes of the others as they came.

What is taken out of a Bundle leaves an empty entry behind, and a line of ndjson an empty line, so that the
positions by which the other items are known still hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from ingestion.domain.r4.bundles import ERASED_ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of a Bundle itself nothing else is kept: links and identifiers may name whom it was asked for.
_KEPT: Final = ("resourceType", "id", "meta", "type", "timestamp")
_ERASED: Final = msgspec.Raw(msgspec.json.encode({"fullUrl": ERASED_ENTRY}))
_NUMBER: Final = re.compile(r"entry\[(\d+)\]")
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, LookupError, RecursionError)


class NotRewritableError(ValueError):
    """The document's own JSON cannot be taken apart."""


def without(document: bytes, place: str, changes: Mapping[str, bytes | None]) -> bytes | None:
    """Return a document without some of its items.

    Args:
        document: the JSON of a Bundle or a single resource.
        place: its own position, "" for the whole file.
        changes: for the position of each item that does not stay as it is, its new JSON, or None when it goes.

    Returns:
        The document; the same object when nothing in it changes, None when the whole of it goes.

    Raises:
        NotRewritableError: it has items inside, and is no Bundle that can be read.
    """
    if place in changes:
        return changes[place]
    below: dict[int, dict[str, bytes | None]] = {}
    for position, change in changes.items():
        if position.startswith(place) and (entry := _NUMBER.match(position, len(place) + bool(place))):
            below.setdefault(int(entry[1]), {})[position] = change
    if not below:
        return document
    try:
        bundle = _object.decode(document)
        entries = _list.decode(bundle["entry"])
        for number, inside in below.items():
            entries[number] = _entry(entries[number], _place(place, number), inside)
    except _FAULTS:
        raise NotRewritableError from None
    outer = {name: bundle[name] for name in _KEPT if name in bundle}
    return msgspec.json.encode({**outer, "entry": entries})


def piece(document: bytes, place: str, position: str) -> bytes:
    """Return the bytes of what stands at a position of a document; of an entry, with what belongs to it.

    The whole document where the position cannot be followed.
    """
    rest = position[len(place) :]
    found = document
    try:
        for number in _numbers(rest):
            bundle = _object.decode(found)
            if "resource" in bundle and "entry" not in bundle:
                bundle = _object.decode(bundle["resource"])
            found = bytes(_list.decode(bundle["entry"])[number])
    except _FAULTS:
        return document
    return found


def _numbers(position: str) -> Iterator[int]:
    return (int(number) for number in _NUMBER.findall(position))


def _place(place: str, number: int) -> str:
    joint = "" if not place else "." if place.endswith("]") else " "
    return f"{place}{joint}entry[{number}]"


def _entry(entry: msgspec.Raw, place: str, changes: Mapping[str, bytes | None]) -> msgspec.Raw:
    if place in changes and changes[place] is None:
        return _ERASED
    fields = _object.decode(entry)
    resource = without(bytes(fields["resource"]), place, changes)
    if resource is None:
        return _ERASED
    return msgspec.Raw(msgspec.json.encode({**fields, "resource": msgspec.Raw(resource)}))
