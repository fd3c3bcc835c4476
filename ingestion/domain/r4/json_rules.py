"""Rules of the bytes that a JSON decoder does not check: UTF-8, nesting, duplicate keys, bad characters."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 64
"""Objects and arrays may be nested this deep, counted from the resource's own object."""

_BRACKETS = frozenset(b"{}[]")
_NOT_BRACKETS = bytes(b for b in range(256) if b not in _BRACKETS)
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def bad_utf8_at(content: bytes) -> int | None:
    """Return the byte offset of the first byte that is not UTF-8, or None."""
    if content.isascii():
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def has_invalid_character(content: bytes) -> bool:
    """Return whether a string holds U+0000, which FHIR discourages and PostgreSQL cannot store."""
    return b"\\" in content and b"\\u0000" in content and _NUL.search(content) is not None


def mark_lone_surrogates(content: bytes) -> bytes:
    """Return the document with each half of a broken surrogate pair replaced by an escaped NUL.

    msgspec refuses the whole document for one such half (a text cut in the middle of an emoji); marked like
    this, only the resource that holds it is refused.
    """
    if b"\\ud" not in content and b"\\uD" not in content:
        return content
    return _ESCAPES.sub(lambda m: b"\\u0000" if m[1] else m[0], content)


def _skeleton(content: bytes) -> bytes:
    return content.translate(_ONE_KIND, _NOT_BRACKETS)


def _peel(skeleton: bytes, rounds: int) -> bytes:
    """Take the innermost pairs away `rounds` times; each round makes the nesting one level shallower."""
    for _ in range(rounds):
        if not skeleton:
            break
        skeleton = skeleton.replace(b"{}", b"")
    return skeleton


def nested_within(content: bytes, limit: int = MAX_DEPTH) -> bool:
    """Return whether objects and arrays are nested at most `limit` deep.

    Texts that imitate brackets on purpose may make a document look shallower, never deeper than it is; the
    decoder's own limit (about 1,000 levels) then holds.
    """
    skeleton = _skeleton(content)
    if len(skeleton) <= 2 * limit or not _peel(skeleton, limit):
        return True
    return not _peel(_skeleton(_STRING.sub(b"", content)), limit)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _DuplicateKeyError


class _DuplicateKeyError(ValueError):
    pass


def may_hide_colon(content: bytes) -> bool:
    """Return whether a colon may be written as an escape, so that counting colons proves nothing."""
    return b"\\" in content and (b"\\u003a" in content or b"\\u003A" in content)


def colons(content: bytes) -> int:
    """Return how many colons the JSON holds.

    A document decoded and encoded again has lost each key that was named twice, and its colon with it, while
    every other colon stays: equal numbers before and after mean that no key was named twice.
    """
    return content.count(b":")


def names_key_twice(content: bytes) -> bool:
    """Return whether an object names a key twice, by reading every object's keys (slow, exact)."""
    try:
        text = content.decode("utf-8", "surrogateescape")  # a bad byte is another rule's matter
        json.loads(text, object_pairs_hook=_refuse_duplicates, parse_int=len, parse_float=len)
    except (_DuplicateKeyError, RecursionError):
        return True
    return False


def too_deep_spans(content: bytes, limit: int) -> list[tuple[int, int]]:
    """Return the byte ranges of the outermost objects and arrays that lie deeper than `limit`.

    Used only when a file is known to be nested too deep, to keep the rest of it.
    """
    spans: list[tuple[int, int]] = []
    depth = 0
    start = 0
    for token in _TOKEN.finditer(content):
        mark = content[token.start()]
        if mark in b"{[":
            depth += 1
            if depth == limit + 1:
                start = token.start()
        elif mark in b"}]":
            if depth == limit + 1:
                spans.append((start, token.end()))
            depth -= 1
    return spans
