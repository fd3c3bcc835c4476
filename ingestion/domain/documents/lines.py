"""What readers of documents share: tidy lines, and raised digits."""

from __future__ import annotations

import re
from typing import Final

_INNER_SPACE: Final = re.compile(r"[ \t\v\r]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_EMPTY_CELLS: Final = re.compile(r"\|(?: +\|)+")
_EXPONENT: Final = re.compile(r"[+\-\u2212]?\d+")
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


def raised(text: str, before: str) -> str:
    """Return raised text with a "^" where it would otherwise become part of a number: 10 with a raised 9 is 10^9."""
    return f"^{text}" if _EXPONENT.fullmatch(text.strip()) and before[-1:].isalnum() else text
