"""Where a JSON value stands in its text, in Unicode code points.

A citation of part `json` quotes the stored text itself, so the offsets must be those of the
text as it was kept: white space, escapes and number spelling untouched.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPACE: Final = re.compile(r"[ \t\n\r]*")
# One character of a string value as it is written: a pair of surrogate escapes, an escape, or itself.
_CHARACTER: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.",
    re.DOTALL,
)
# Numbers stay text: a sibling's digits are only stepped over, and very long integers are legal JSON.
_STEP: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)


class SpanNotFoundError(Exception):
    """The text is not JSON, or has nothing at the path. `reason` is `not-json` or `no-such-path`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def locate(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Return the code-point offsets [start, end) of the value at `path`.

    `json.loads(text[start:end])` equals the value at the path. Of a repeated key the last one
    counts, as in `json.loads`. An empty path is the whole document without surrounding space.

    Raises:
        SpanNotFoundError: `not-json` or `no-such-path`.
    """
    return _find(text, path)[1:]


def locate_member(text: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Return the offsets of `"key": value` at `path`; of an array's item or the root, of the value alone.

    Raises:
        SpanNotFoundError: `not-json` or `no-such-path`.
    """
    key_start, _, end = _find(text, path)
    return key_start, end


def locate_within(text: str, path: Sequence[str | int], start: int, end: int) -> tuple[int, int]:
    """Return the offsets in `text` of characters [start, end) of the string value at `path`.

    For a quote from free text inside JSON: an escaped line break, or a surrogate pair of
    escapes, is one character of the value and several of the text.

    Raises:
        SpanNotFoundError: `not-json` or `no-such-path` (also when the value is no string or is shorter).
    """
    opening, closing = locate(text, path)
    if text[opening] != '"' or not 0 <= start <= end:
        raise SpanNotFoundError("no-such-path")
    places = [match.start() for match in _CHARACTER.finditer(text, opening + 1, closing - 1)]
    places.append(closing - 1)
    if end >= len(places):
        raise SpanNotFoundError("no-such-path")
    return places[start], places[end]


def _find(text: str, path: Sequence[str | int]) -> tuple[int, int, int]:
    try:
        key_start = start = _space(text, 0)
        for step in path:
            key_start, start = _enter(text, start, step)
        return key_start, start, _step_over(text, start)
    except (IndexError, ValueError, RecursionError):
        raise SpanNotFoundError("not-json") from None


def _enter(text: str, start: int, step: str | int) -> tuple[int, int]:
    opening = text[start]
    if isinstance(step, str) and opening == "{":
        found = None
        for key, key_start, value_start in _members(text, start):
            if key == step:
                found = (key_start, value_start)
        if found is not None:
            return found
    elif not isinstance(step, str) and opening == "[":
        for index, value_start in enumerate(_items(text, start)):
            if index == step:
                return value_start, value_start
    raise SpanNotFoundError("no-such-path")


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    position = _space(text, start + 1)
    while text[position] != "}":
        key_start = position
        key, position = _STEP.raw_decode(text, position)
        position = _space(text, position)
        if text[position] != ":" or text[key_start] != '"':
            raise ValueError("member")
        value_start = _space(text, position + 1)
        yield key, key_start, value_start
        position = _after_value(text, value_start, "}")


def _items(text: str, start: int) -> Iterator[int]:
    position = _space(text, start + 1)
    while text[position] != "]":
        yield position
        position = _after_value(text, position, "]")


def _after_value(text: str, start: int, closing: str) -> int:
    position = _space(text, _step_over(text, start))
    if text[position] == ",":
        return _space(text, position + 1)
    if text[position] != closing:
        raise ValueError("separator")
    return position


def _step_over(text: str, start: int) -> int:
    return _STEP.raw_decode(text, start)[1]


def _space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start
