"""Characters that a reader cannot see, or that change how others are shown, made visible.

A quotation is the record's own words, so nothing of it may be left out; but a character that reorders a
line, hides a word or steers a terminal (Unicode Technical Report 36, "Unicode Security Considerations";
ECMA-48 control functions) must not act on the page. Where text is shown, each such character stands as its
code point in angle brackets, \u27e8U+202E\u27e9. Stored text, offsets and JSON keep the characters as they are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Controls but tab and line ends; invisible and bidirectional format characters, separators of line and
# paragraph, fillers that show as nothing, tags, variation selectors beyond the emoji ones, private use.
_SUSPECT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LONE_CR: Final = re.compile(r"\r(?!\n)")
# Scripts whose spelling needs the joiners U+200C and U+200D: Arabic to Myanmar, and Khmer, Mongolian.
_JOINING: Final = (("\u0600", "\u109f"), ("\u1780", "\u18af"))
_JOINERS: Final = "\u200c\u200d"


def visible(text: str) -> str:
    """Return the text with every such character as "\u27e8U+XXXX\u27e9"; ordinary text comes back unchanged.

    Tab and line ends stay (a lone carriage return, which overwrites a terminal's line, does not); so do the
    joiners between letters of a script that is spelt with them.
    """
    return _LONE_CR.sub(_code_point, _SUSPECT.sub(_shown, text))


def escaped_in_json(encoded: str) -> str:
    """Return JSON text with these characters as JSON's own escapes: it reads the same and shows nothing hidden."""
    return _SUSPECT.sub(_escape, encoded)


def has_hidden(text: str) -> bool:
    """Return whether `visible` would change the text."""
    return visible(text) != text


def without_hidden(text: str, instead: str = " ") -> str:
    """Return the text with something instead of each such character, for a reader that is not a person."""
    return _SUSPECT.sub(instead, text)


def _shown(match: re.Match[str]) -> str:
    if match[0] in _JOINERS and _between_joining_letters(match):
        return match[0]
    return _code_point(match)


def _code_point(match: re.Match[str]) -> str:
    return f"\u27e8U+{ord(match[0]):04X}\u27e9"


def _between_joining_letters(match: re.Match[str]) -> bool:
    before = match.string[match.start() - 1 : match.start()]
    return any(first <= before <= last for first, last in _JOINING) and unicodedata.category(before)[0] in "LM"


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[place : place + 2], 'big'):04x}" for place in range(0, len(units), 2))
