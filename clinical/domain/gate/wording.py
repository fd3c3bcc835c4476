"""Rules on the wording itself: small words that change the meaning when they are denied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.form import first_person
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import word_list

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_WEIGHED = word_list("weighed")
_DENIALS = word_list("denials")
_REACH = 3


def weighed_words(claim: Reading, window: Window) -> Reason | None:
    """With "not much", "no problems": a word of degree or trouble is denied in both or in neither."""
    held = frozenset().union(*(_weighed(reading) for reading in window.readings))
    stems = {stem for stem, _ in held}
    if any(stem in stems and (stem, denied) not in held for stem, denied in _weighed(claim)):
        return Reason.NEGATION_DIFFERS
    return None


def _weighed(reading: Reading) -> frozenset[tuple[str, bool]]:
    found = set()
    for at, word in enumerate(reading.words):
        if word.low not in _WEIGHED:
            continue
        denied = False
        for before in reversed(reading.words[max(at - _REACH, 0) : at]):
            if not before.is_word:
                break
            if before.low in _DENIALS or before.low.endswith("n't"):
                denied = True
                break
        found.add((word.stem, denied))
    return frozenset(found)


def own_voice(claim: Reading, window: Window) -> Reason | None:
    """Only what the author of the record says as "I" or "we" may be said so."""
    if first_person(claim.text) and not any(first_person(reading.text) for reading in window.readings):
        return Reason.META_TALK
    return None


def same_words(claim: Reading, reading: Reading) -> bool:
    """Return whether the sentence is the record's own, word for word."""
    return [one.low for one in claim.words if one.is_word] == [one.low for one in reading.words if one.is_word]
