"""A quick look before a document is read closely: can it speak of what is asked about at all?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import concepts, negated_names
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.kin import kin_of, surfaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.passages import Passage
    from clinical.domain.quotes.question import Question

_HALF = 0.5


def may_bear(asked: Question, passages: Sequence[Passage]) -> bool:
    """Return False only where the passages of one document cannot name what the question names.

    Each concept must be there by one of its names, or by the noun it qualifies; without a concept, half of
    the plain words in one form or another.
    """
    text = "\n".join(f"{one.title}\n{one.section}\n{one.text}" for one in passages).lower()
    for one in asked.focus:
        starts = _starts(one.keys) | {_start(key.removeprefix("w:").removeprefix("*")) for key in (*one.head, *one.kin)}
        starts |= {word for key in one.kin for word in surfaces().get(key, ())}
        if not any(start in text for start in starts) and not any(
            all(_start(word) in text for word in name) for name in one.spelled
        ):
            return False
    if asked.concepts or not asked.words:
        return True
    wanted = [mention for mention in asked.reading.mentions if mention.key in asked.words]
    met = sum(any(start in text for start in _word_starts(mention.text.lower(), mention.key)) for mention in wanted)
    return met >= _HALF * len(wanted)


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


@lru_cache(maxsize=2000)
def _word_starts(text: str, key: str) -> frozenset[str]:
    concept = concepts().get(key)
    names = {tokens(name)[0].stem for name in concept.names} if concept else set()
    kin = frozenset().union(*(kin_of(word) for word in text.split()))
    return frozenset(_start(one)[:5] for one in (*kin, *names, *(stem(word) for word in text.split())))


def _start(word: str) -> str:
    # The last letter may change with the form of the word: allergy, allergies.
    return word[:-1] if len(word) > 4 else word
