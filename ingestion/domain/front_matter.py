"""The block of `key: value` lines between two `---` lines at the top of a text file."""

from __future__ import annotations

import re

_FENCE = "---"
_LINE = re.compile(r"^([A-Za-z][A-Za-z0-9_-]{0,39})[ \t]*:[ \t]*(.*)$")
_MAX_LINES = 60


def split_front_matter(text: str) -> tuple[dict[str, str], int]:
    """Return the fields, keys in lower case, and the offset in code points where the body begins.

    Values lose surrounding white space and one pair of quotation marks; `#` begins a comment line. A block
    with any other line, or without its closing `---`, is not front matter: the body is then the whole text.
    """
    lines = text.split("\n", _MAX_LINES)
    if lines[0].rstrip() != _FENCE:
        return {}, 0
    fields: dict[str, str] = {}
    offset = len(lines[0]) + 1
    for raw in lines[1:_MAX_LINES]:
        line = raw.rstrip()
        offset += len(raw) + 1
        if line == _FENCE:
            return fields, min(offset, len(text))
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if not match:
            return {}, 0
        fields[match[1].lower()] = _unquoted(match[2].strip())
    return {}, 0


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
