"""Opens a FHIR R4 Bundle without decoding its resources; one bad entry does not take the rest along."""

from __future__ import annotations

from typing import Any

import msgspec

from ingestion.domain.r4.check import decode
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.json_rules import MAX_DEPTH, has_duplicate_key, too_deep_spans

_ABOVE_RESOURCE = 3  # the Bundle, its list of entries, the entry
_TOO_DEEP = b'{"resourceType":"Bundle","type":"nested too deep"}'
_encode = msgspec.json.Encoder().encode


class _Loose(msgspec.Struct):
    """A Bundle whose entries are looked at one by one."""

    type: str
    entry: list[msgspec.Raw]


_loose = msgspec.json.Decoder(_Loose)


def open_bundle(content: bytes) -> tuple[str, list[Any]]:
    """Return the Bundle's type and its entries: Structs, or an Issue in the place of each bad one.

    Raises:
        InvalidResourceError: the Bundle itself is not valid, or its JSON is broken.
    """
    try:
        bundle = decode(content, "Bundle")
    except InvalidResourceError as error:
        if error.issue.code == "too-deep":
            return _open_deep(content)
        if error.issue.path.startswith("Bundle.entry"):
            return _open_loose(content, error.issue)
        raise
    if has_duplicate_key(content, _encode(bundle)):
        return _open_loose(content, Issue("duplicate-key", "Bundle"))
    return bundle.type, [] if bundle.entry is msgspec.UNSET else bundle.entry


def _open_loose(content: bytes, issue: Issue) -> tuple[str, list[Any]]:
    """Check each entry alone; where none is at fault, the Bundle is."""
    try:
        loose = _loose.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidResourceError(issue) from None
    entries = [_entry(bytes(raw)) for raw in loose.entry]
    if not any(isinstance(entry, Issue) for entry in entries):
        raise InvalidResourceError(issue)
    return loose.type, entries


def _entry(content: bytes) -> Any:  # noqa: ANN401 - a Struct built at run time, or an Issue
    try:
        entry = decode(content, "Bundle.entry")
    except InvalidResourceError as error:
        return error.issue
    return Issue("duplicate-key", "Bundle.entry") if has_duplicate_key(content, _encode(entry)) else entry


def _open_deep(content: bytes) -> tuple[str, list[Any]]:
    """Cut out what is nested beyond reading, and refuse the entries it was cut from."""
    parts: list[bytes] = []
    done = 0
    for start, end in too_deep_spans(content, MAX_DEPTH + _ABOVE_RESOURCE):
        parts += [content[done:start], _TOO_DEEP]
        done = end
    if not parts:
        raise InvalidResourceError(Issue("too-deep", "Bundle"))
    kind, entries = open_bundle(b"".join([*parts, content[done:]]))
    return kind, [Issue("too-deep") if _was_cut(entry) else entry for entry in entries]


def _was_cut(entry: Any) -> bool:  # noqa: ANN401 - a Struct built at run time, or an Issue
    return not isinstance(entry, Issue) and _TOO_DEEP in _encode(entry)
