"""Names that the record misspells: looked for only where nothing else names what is asked about."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.spelling import distance
from clinical.domain.lexicon.tables import concepts
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.question import same_ending

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.passages import Passage
    from clinical.domain.quotes.focus import Focus
    from clinical.domain.quotes.question import Question

_SHORTEST = 7  # letters; a slip in a shorter word makes too many others of it
_TWO_SLIPS_FROM = 9
_WORD = re.compile(r"[a-z]{6,}")


def with_slips(asked: Question, passages: Iterable[Passage]) -> Question | None:
    """Return the question with the record's misspellings of what it asks about among the names; None without one."""
    if not asked.focus:
        return None
    words = {word for passage in passages for word in _WORD.findall(passage.text.lower())}
    focus = tuple(_with_slips(one, words) for one in asked.focus)
    return None if focus == asked.focus else replace(asked, focus=focus)


def _with_slips(focus: Focus, words: Iterable[str]) -> Focus:
    names = {
        name.lower()
        for key in focus.keys
        if (concept := concepts().get(key))
        for name in concept.names
        if name.isalpha() and len(name) >= _SHORTEST
    }
    slips = sorted({word for word in words for name in names if _is_slip(word, name, drug=focus.drug)})
    return replace(focus, spelled=(*focus.spelled, *(frozenset({stem(word)}) for word in slips)))


def _is_slip(word: str, name: str, *, drug: bool) -> bool:
    allowed = 2 if len(name) >= _TWO_SLIPS_FROM and not drug else 1  # medicines sound alike
    if word[0] != name[0] or abs(len(word) - len(name)) > allowed or stem(word) in _named():
        return False
    return same_ending(word, (name,)) and distance(word, name, allowed) <= allowed


@cache
def _named() -> frozenset[str]:
    """Return the stems of the words of every name: hypotension is no slip of hypertension."""
    return frozenset(token.stem for one in concepts().values() for name in one.names for token in tokens(name))
