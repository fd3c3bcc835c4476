"""What readers of documents share: tidy lines."""

from __future__ import annotations

import re
from typing import Final

_INNER_SPACE: Final = re.compile(r"[ \t\v\r]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_EMPTY_CELLS: Final = re.compile(r"\|(?: +\|)+")
_UNUSABLE: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def tidy(text: str) -> str:
    """Return text with one space between words, no bars at the end of table rows, and single empty lines."""
    lines = []
    for line in _UNUSABLE.sub("", text).replace("\r\n", "\n").replace("\f", "\n").split("\n"):
        bare = _INNER_SPACE.sub(" ", line).strip()
        # No pattern for this: bars and spaces can be shared out between its repeats in 2^n ways.
        bare = bare.rstrip(" |") if bare.endswith("|") else bare
        lines.append(_EMPTY_CELLS.sub("| |", bare).strip())
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
