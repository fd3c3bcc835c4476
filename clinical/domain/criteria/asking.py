"""Questions that ask for and against a condition they name, and questions that want the diagnosis made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clinical.domain.facts.naming import plain
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.spelling import nearest_concept
from clinical.domain.lexicon.tables import Kind
from clinical.domain.lexicon.words import tokens
from clinical.domain.summary.matter import Matter, matter_of

if TYPE_CHECKING:
    from clinical.domain.criteria.parse import CriteriaSet


@dataclass(frozen=True, slots=True)
class Asked:
    """The condition named: its words as asked, and what they are to the lexicon."""

    words: str
    matter: Matter

    def meant_by(self, criteria: CriteriaSet) -> bool:
        """Return whether a set of criteria is about the condition: by name, or by the lexicon's id."""
        if plain(self.words) in {plain(name) for name in criteria.names}:
            return True
        held = matter_of(criteria.names, Kind.CONDITION, loose=True)
        return bool(self.matter.own & held.own)


@cache
def _patterns(name: str) -> tuple[re.Pattern[str], ...]:
    table = json.loads(files(__package__).joinpath("asking.json").read_text(encoding="utf-8"))
    return tuple(re.compile(one, re.IGNORECASE) for one in table[name])


def asked_for(question: str) -> Asked | None:
    """Return the condition whose for and against is asked; None for any other question.

    "What speaks against giving her apixaban" names no condition and is none of these.
    """
    text = " ".join(question.split()).strip(" ?.!")
    for pattern in _patterns("for_and_against"):
        if (match := pattern.search(text)) is None:
            continue
        words = match["topic"]
        for trailing in _patterns("trailing"):
            words = trailing.sub("", words).strip(" ,;-")
        found = {one.concept.kind for one in find_concepts(tokens(words), loose=True)}
        matter = matter_of([words], Kind.CONDITION, loose=True) or _misspelt(words)
        if matter and Kind.DRUG not in found:
            return Asked(words, matter)
    return None


def _misspelt(words: str) -> Matter:
    near = [concept for token in tokens(words) if (concept := nearest_concept(token.text)) is not None]
    near = [concept for concept in near if concept.kind is Kind.CONDITION]
    return Matter(frozenset(one.id for one in near), frozenset(key for one in near for key in one.wider))


def diagnosis_asked(question: str) -> bool:
    """Return whether a question wants a diagnosis to be made, or a list of what it might be.

    "What was the diagnosis in 2019" asks what is recorded, and is none of these.
    """
    text = " ".join(question.split()).strip(" ?.!")
    if any(pattern.search(text) for pattern in _patterns("recorded")):
        return False
    return asked_for(question) is None and any(pattern.search(text) for pattern in _patterns("diagnosis"))
