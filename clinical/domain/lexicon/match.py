"""Finds the concepts a text names: the longest name wins, abbreviations by their case."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Concept, concepts
from clinical.domain.lexicon.words import Token, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

# Abbreviations whose lower-case form is an ordinary word: only as written in capitals, even in a question.
_ONLY_AS_WRITTEN = frozenset(
    {
        "pet",
        "add",
        "ace",
        "cap",
        "ana",
        "news",
        "map",
        "as",
        "or",
        "it",
        "us",
        "he",
        "an",
        "arb",
        "acr",
        "pad",
        "fit",
    }
)
_SHORT = 2  # letters: K, Na, Hb count only in their own case
_ABBREVIATION = 5  # letters: never compared by stem, so that "does" is not DOE


@dataclass(frozen=True, slots=True)
class Found:
    """Tokens [first, last) name this concept."""

    first: int
    last: int
    concept: Concept


@dataclass(slots=True)
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    concept: Concept | None = None


def find_concepts(words: Sequence[Token], *, loose: bool = False) -> list[Found]:
    """Return the concepts named, in order, none overlapping; each is the longest name that fits.

    Short abbreviations (K, Na, Hb) count only in the case they are listed in, unless `loose`,
    which is for questions as clinicians type them.
    """
    root, exact, lower = _tries()
    found = []
    at = 0
    while at < len(words):
        hit = _longest(root, words, at) or _short(exact, lower, words, at, loose=loose)
        if hit is None:
            at += 1
        else:
            found.append(hit)
            at = hit.last
    return found


def _longest(root: _Node, words: Sequence[Token], first: int) -> Found | None:
    node, best = root, None
    at = first
    while at < len(words):
        if words[at].text in {"-", "\u2013"} and node is not root:
            at += 1
            continue
        following = node.next.get(words[at].stem)
        if following is None:
            break
        node = following
        at += 1
        if node.concept is not None:
            best = Found(first, at, node.concept)
    return best


def _short(
    exact: dict[str, Concept], lower: dict[str, Concept], words: Sequence[Token], at: int, *, loose: bool
) -> Found | None:
    concept = exact.get(words[at].text)
    if concept is None and (loose or len(words[at].low) > _SHORT):
        concept = lower.get(words[at].low)
    return None if concept is None else Found(at, at + 1, concept)


def _case_matters(name: str) -> bool:
    return name.isalpha() and not name.islower() and (len(name) <= _ABBREVIATION or name.lower() in _ONLY_AS_WRITTEN)


@cache
def _tries() -> tuple[_Node, dict[str, Concept], dict[str, Concept]]:
    root = _Node()
    exact: dict[str, Concept] = {}
    lower: dict[str, Concept] = {}
    for concept in concepts().values():
        for name in concept.names:
            if _case_matters(name):
                exact.setdefault(name, concept)
                if name.lower() not in _ONLY_AS_WRITTEN:
                    lower.setdefault(name.lower(), concept)
                continue
            node = root
            for token in tokens(name):
                if token.text != "-":
                    node = node.next.setdefault(token.stem, _Node())
            if node.concept is None:
                node.concept = concept
    return root, exact, lower
