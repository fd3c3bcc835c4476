"""Being on a treatment: "is on dialysis" needs evidence that it is given, not that it was chosen or talked of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_NOW: Final = frozenset({"is", "was", "are", "were", "be", "been", "remains", "now", "currently", "still", "already"})
_BETWEEN: Final = frozenset({"a", "an", "the", "home", "long", "term", "regular", "maintenance", "-"})
# The words that say of a treatment that it is given; a medicine is on a list and needs none.
_GIVEN: Final = re.compile(
    r"\b(?:on|start(?:s|ed)?|begun|began|begin|commenced|receiv(?:es|ed|ing)|undergo(?:es|ing)|underwent|having|gets"
    r"|getting|continu(?:es|ed|ing)|uses|using|under|established|tolerat(?:es|ed|ing)|attends)\b",
    re.IGNORECASE,
)
_NOT_YET: Final = re.compile(
    r"\b(?:choices?|options?|talk|leaning|inclined|towards?|prefers?|chosen|to be|when|if|would|could|may need"
    r"|discuss(?:ed|ion)?|consider(?:ed|ing)?"
    r"|plan(?:ned|s)?|offered?|films? of|talked?|education|waiting|await(?:s|ing)?|will)\b",
    re.IGNORECASE,
)


def treatment_is_given(claim: Reading, window: Window) -> Reason | None:
    """Withhold "is on X" when the evidence names X without saying that it is given."""
    treatments = _treatments(claim)
    if not treatments:
        return None
    for stem in treatments:
        sentences = [one.text for one in window.readings if any(word.stem == stem for word in one.words)]
        if not any(_GIVEN.search(text) and not _NOT_YET.search(text) for text in sentences):
            return Reason.TIME_DIFFERS
    return None


def _treatments(claim: Reading) -> list[str]:
    """Return the stems of what the sentence says somebody is on, medicines excepted."""
    words = claim.words
    found = []
    for place, word in enumerate(words):
        if word.low != "on" or place == 0 or words[place - 1].low not in _NOW:
            continue
        object_at = place + 1
        while object_at < len(words) and words[object_at].low in _BETWEEN:
            object_at += 1
        if {"list", "waiting"} & {one.low for one in words[object_at : object_at + 4]}:
            continue
        if object_at < len(words) and words[object_at].is_word and not _is_drug(claim, object_at):
            found.append(words[object_at].stem)
    return found


def _is_drug(claim: Reading, place: int) -> bool:
    """Return whether this is a medicine, or a place or side: "the pain is on the medial side"."""
    return any(
        one.first <= place < one.last and (one.kind is Kind.DRUG or one.key.startswith("word:"))
        for one in claim.mentions
    )
