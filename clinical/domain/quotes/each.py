"""A question whether one or the other is so ("a rash or fever"): each is looked for, and what is not found is named."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.question import read_question

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention

_JOINERS = frozenset({"or", "and", ",", "/", "a", "an", "any", "the"})
_MOST = 4  # conditions of one question


def conditions_asked(question: str) -> tuple[str, ...]:
    """Return the conditions of a yes-or-no question that are joined by "or", "and" or a comma; none of any other."""
    asked = read_question(question)
    named: list[Mention] = [one for one in asked.reading.mentions if one.clinical]
    if len(named) < 2 or len(named) > _MOST or asked.intents or asked.actions or asked.of_family or asked.words:
        return ()
    if any(one.kind is not Kind.CONDITION for one in named):
        return ()
    for one, other in pairwise(named):
        between = {word.low for word in asked.reading.words[one.last : other.first]}
        if not between or not between <= _JOINERS:
            return ()
    return tuple(one.text for one in named)


def untold(conditions: tuple[str, ...], quotes: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the conditions that no quote names."""
    told = frozenset(key for quote in quotes for key in read(quote).keys)
    return tuple(one for one in conditions if not read(one, loose=True).keys & told)
