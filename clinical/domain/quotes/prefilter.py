"""A quick look before a passage is read closely: can it name what is asked about at all?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import concepts, negated_names
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from clinical.domain.passages import Passage
    from clinical.domain.quotes.question import Question


def may_bear(asked: Question, passage: Passage) -> bool:
    """Return False only where the passage holds no name of some concept that the question names."""
    text = f"{passage.section}\n{passage.text}".lower()
    return all(any(start in text for start in _starts(group)) for group in asked.concepts)


@lru_cache(maxsize=500)
def _starts(group: frozenset[str]) -> frozenset[str]:
    """Return the stems of the first words of every name of these concepts and of what is a kind of them."""
    starts = {
        _start(tokens(name)[0].stem)
        for concept in concepts().values()
        if group & concept.wider or any(concept.id == key.removeprefix("urine-") for key in group)
        for name in concept.names
    }
    return frozenset(starts | {word for word, key in negated_names().items() if key in group})


def _start(stem: str) -> str:
    # The last letter may change with the form of the word: allergy, allergies.
    return stem[:-1] if len(stem) > 4 else stem
