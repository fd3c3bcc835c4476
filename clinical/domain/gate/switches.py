"""A switch keeps its direction: what was replaced, and by what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

# The former comes first: "changed from A to B", "A was replaced by B".
_OLD_FIRST: Final = re.compile(
    r"\b(?:(?:switched|changed|converted|transitioned|rotated|swapped|cross-tapered|moved)\b.*\bto"
    r"|(?:replaced|substituted) (?:by|with))\b",
    re.IGNORECASE,
)
_NEW_FIRST: Final = re.compile(
    r"\b(?:instead of|in place of|took the place of|takes the place of|replaced (?!by|with)|replaces|replacing"
    r"|as a replacement for|substituted for|in lieu of|rather than)",
    re.IGNORECASE,
)


def _by_its_verb(reading: Reading) -> tuple[frozenset[str], str] | None:
    """Return what came before a switch and what after it, where the medicine after its "to" tells."""
    match = _OLD_FIRST.search(reading.text)
    if match is None:
        return None
    places = [(reading.words[one.first].start, one.key) for one in reading.mentions if one.kind is Kind.DRUG]
    after = [key for start, key in places if start >= match.end()]
    before = frozenset(key for start, key in places if start < match.end())
    return (before, after[0]) if after and before else None


def switched_from_to(claim: Reading, window: Window) -> Reason | None:
    """What the sentence says was replaced is what the evidence says was replaced."""
    said = _old_and_new(claim)
    if said is None:
        return None
    mine = _by_its_verb(claim)
    theirs = [told for reading in window.readings if (told := _by_its_verb(reading)) is not None]
    if mine is not None and any(mine[1] == told[1] for told in theirs):
        return None
    held = [pair for reading in window.readings if (pair := _old_and_new(reading)) is not None]
    return Reason.VALUE_OF_ANOTHER if held and (said[1], said[0]) in held and said not in held else None


def replaced(reading: Reading) -> frozenset[str]:
    """Return the medicine that a sentence says was replaced by another."""
    pair = _old_and_new(reading)
    return frozenset(pair[:1]) if pair is not None and pair[0] != pair[1] else frozenset()


def _old_and_new(reading: Reading) -> tuple[str, str] | None:
    drugs = list(dict.fromkeys(one.key for one in reading.mentions if one.kind is Kind.DRUG))
    if len(drugs) < 2:
        return None
    if _NEW_FIRST.search(reading.text):
        return (drugs[1], drugs[0])
    return (drugs[0], drugs[1]) if _OLD_FIRST.search(reading.text) else None
