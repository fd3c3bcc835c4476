r"""Escape sequences of ER7 text: `\F\` is a field separator, `\.br\` a line break, `\X0A\` a byte.

Source: HL7 v2.8.2 chapter 2, section 2.7 (use of escape sequences in text fields).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_BREAKS: Final = {".br": "\n", ".sp": "\n", ".fi": "", ".nf": "", ".ce": "\n"}
_SPACING: Final = re.compile(r"\.(sp|in|ti|sk)([+-]?\d{1,3})?")


@lru_cache(maxsize=64)
def unescaper(delimiters: str, codec: str = "utf-8") -> Callable[[str], str]:
    """Return the function that resolves escapes of one message.

    Args:
        delimiters: field, component, repetition, escape and subcomponent separator, in this order.
        codec: how hexadecimal bytes are read.
    """
    escape = delimiters[3] if len(delimiters) > 3 else ""
    if not escape.strip():
        return str
    plain = dict(zip("FSRET", (delimiters + " " * 5)[:5], strict=True))
    pattern = re.compile(f"{re.escape(escape)}([^{re.escape(escape)}\r\n]{{1,80}}){re.escape(escape)}")

    def resolve(match: re.Match[str]) -> str:
        code = match[1]
        if code in plain:
            return plain[code]
        if code in ("H", "N"):  # highlighting on and off
            return ""
        if code[0] in "XCM":
            return _bytes(code, codec)
        if code[0] == ".":
            return _formatting(code)
        return match[0] if code[0] != "Z" else ""  # an unknown sequence stays as it stands

    return lambda text: pattern.sub(resolve, text) if escape in text else text


def _bytes(code: str, codec: str) -> str:
    if code[0] != "X":  # a switch of the character set inside a field: the text itself is decoded already
        return ""
    try:
        return bytes.fromhex(code[1:]).decode(codec, "replace")
    except ValueError:
        return ""


def _formatting(code: str) -> str:
    if code in _BREAKS:
        return _BREAKS[code]
    match = _SPACING.fullmatch(code)
    if match is None:
        return ""
    count = int(match[2] or 1)
    if match[1] == "sp":
        return "\n" * max(1, min(count, 20))
    return " " * max(0, min(count, 80)) if match[1] == "sk" else "\n"
