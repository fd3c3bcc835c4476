"""Opens a FHIR R4 Bundle without decoding its resources; one bad entry does not take the rest along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from ingestion.domain.r4.check import decode
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.json_rules import MAX_DEPTH, colons, names_key_twice, too_deep_spans

_ABOVE_RESOURCE = 3  # the Bundle, its list of entries, the entry
_TOO_DEEP = b'{"resourceType":"Bundle","type":"nested too deep"}'
_encode = msgspec.json.Encoder().encode


class _Loose(msgspec.Struct):
    """A Bundle whose entries are looked at one by one."""

    type: str
    entry: list[msgspec.Raw] = []


_loose = msgspec.json.Decoder(_Loose)


@dataclass(slots=True)
class OpenEntry:
    """One entry: its Struct without the resource, or the Issue that makes it unusable; the resource's bytes."""

    struct: Any
    resource: bytes = b""


@dataclass(slots=True)
class OpenBundle:
    """A Bundle taken apart. `colons` counts those outside the resources; None: each resource is to be looked at."""

    type: str
    entries: list[OpenEntry]
    colons: int | None
    document: bytes


def open_bundle(content: bytes) -> OpenBundle:
    """Return the Bundle's type and its entries.

    Raises:
        InvalidResourceError: the Bundle itself is not valid, or its JSON is broken.
    """
    try:
        whole = decode(content, "Bundle")
    except InvalidResourceError as error:
        if error.issue.code == "too-deep":
            return _open_deep(content)
        if error.issue.path.startswith("Bundle.entry"):
            bundle = open_loose(content)
            if not any(isinstance(entry.struct, Issue) for entry in bundle.entries):
                raise
            return bundle
        raise
    entries = [] if whole.entry is UNSET else [_without_resource(entry) for entry in whole.entry]
    keys = sum(bool(entry.resource) for entry in entries)
    return OpenBundle(whole.type, entries, colons(_encode(whole)) + keys, content)


def _without_resource(entry: Any) -> OpenEntry:  # noqa: ANN401 - a Struct built at run time
    if entry.resource is UNSET:
        return OpenEntry(entry)
    resource = bytes(entry.resource)
    entry.resource = UNSET
    return OpenEntry(entry, resource)


def open_loose(content: bytes) -> OpenBundle:
    """Check each entry alone, so that a bad one is known by its place.

    Raises:
        InvalidResourceError: the Bundle has no type or no list of entries.
    """
    try:
        loose = _loose.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidResourceError(Issue("not-a-resource", "Bundle")) from None
    return OpenBundle(loose.type, [_entry(bytes(raw)) for raw in loose.entry], None, content)


def _entry(content: bytes) -> OpenEntry:
    try:
        entry = decode(content, "Bundle.entry")
    except InvalidResourceError as error:
        return OpenEntry(error.issue)
    if colons(content) != colons(_encode(entry)) and names_key_twice(content):
        return OpenEntry(Issue("duplicate-key", "Bundle.entry"))
    return _without_resource(entry)


def _open_deep(content: bytes) -> OpenBundle:
    """Cut out what is nested beyond reading, and refuse the entries it was cut from."""
    parts: list[bytes] = []
    done = 0
    for start, end in too_deep_spans(content, MAX_DEPTH + _ABOVE_RESOURCE):
        parts += [content[done:start], _TOO_DEEP]
        done = end
    if not parts:
        raise InvalidResourceError(Issue("too-deep", "Bundle"))
    bundle = open_bundle(b"".join([*parts, content[done:]]))
    for entry in bundle.entries:
        if _TOO_DEEP in entry.resource:
            entry.struct = Issue("too-deep")
    bundle.colons = None
    return bundle
