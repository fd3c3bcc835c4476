"""Words in a document that are meant for a program and not for a person who reads the record.

Such a sentence bears on no clinical question. It is not quoted, it does not enter a prompt, and it bears out
nothing that a model writes; the stored text keeps it, and the source page shows it. The rules look for a machine
that is spoken to or spoken of and told what to write. Words with a clinical sense of their own do not count by
themselves: AI is also aortic insufficiency, an assistant also a person in the theatre, a prompt also a quick review.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import msgspec

from clinical.domain.sentences import split
from clinical.domain.visible import without_hidden

_TABLE: Final = Path(__file__).with_name("instructions.json")
_SPACED: Final = re.compile(r"\s+")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
# Cyrillic and Greek letters drawn like Latin ones (a part of Unicode's confusables), and digits that stand for letters.
_LOOK_ALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0410\u0412\u0415\u041a\u041c\u041d\u041e"
    "\u0420\u0421\u0422\u0425\u0406\u0391\u0392\u0395\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03bf",
    "aeopcyxijsABEKMHOPCTXIABEIKMNOPTo",
)
_AI: Final = re.compile(r"\bA\.?I\b", re.IGNORECASE)
_TRICKED: Final = re.compile(r"\\u|[A-Za-z]\d|\d[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_MIXED: Final = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*\d)\w+\b")
_DIGITS: Final = str.maketrans("013457", "oieast")


class _Group(msgspec.Struct):
    kind: str
    any: list[str]


class _Table(msgspec.Struct):
    about: str
    hints: list[str]
    parts: dict[str, str]
    patterns: list[_Group]


@cache
def patterns() -> tuple[str, ...]:
    """Return the regular expressions, their parts put in; without regard to case."""
    table = _table()
    found = [one for group in table.patterns for one in group.any]
    for name, part in table.parts.items():
        found = [one.replace(f"<{name}>", part) for one in found]
    return tuple(found)


def has_hint(text: str) -> bool:
    """Return whether a text holds what every match of every pattern holds; most sentences do not."""
    low = text.lower()
    return any(hint in low for hint in _table().hints) or bool(_AI.search(text))


@cache
def _table() -> _Table:
    return msgspec.json.decode(_TABLE.read_bytes(), type=_Table)


@cache
def _addresses() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns()), re.IGNORECASE)


@lru_cache(maxsize=16384)
def addresses_a_machine(sentence: str) -> bool:
    """Return whether a sentence is an instruction to, or talk about, a program that reads the record.

    Spelling that only a machine reads through (hidden characters, look-alike letters, digits for letters,
    the escapes of JSON) is undone first.
    """
    plain = _SPACED.sub(" ", sentence)
    if _matches(plain):
        return True
    if plain.isascii() and not _TRICKED.search(plain):
        return False
    undone = _undone(plain)
    return undone != plain and _matches(undone)


def _matches(text: str) -> bool:
    return has_hint(text) and bool(_addresses().search(text))


def _undone(text: str) -> str:
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    text = unicodedata.normalize("NFKC", without_hidden(text, "")).translate(_LOOK_ALIKES)
    return _SPACED.sub(" ", _MIXED.sub(lambda match: match[0].translate(_DIGITS), text))


def without_instructions(text: str) -> str:
    """Return a text of the same length with such sentences, and what follows in their paragraph, as spaces.

    What follows counts as part of the instruction for a model: which of it a person wrote cannot be told.
    """
    spans = split(text)
    pieces, at, tainted = [], 0, False
    for place, span in enumerate(spans):
        between = text[spans[place - 1].end : span.start] if place else ""
        tainted = tainted and "\n\n" not in between
        tainted = tainted or addresses_a_machine(text[span.start : span.end])
        if tainted:
            pieces += [text[at : span.start], " " * (span.end - span.start)]
            at = span.end
    return "".join([*pieces, text[at:]])
