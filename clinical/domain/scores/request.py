"""Which score a question asks for; None where it asks for something else and only mentions one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from clinical.domain.lexicon.spelling import distance
from clinical.domain.scores.judgements import plain, without_answers
from clinical.domain.scores.tables import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORD: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_PART: Final = re.compile(r"[,;:?!\n]|\.(?!\d)")
_MOST_WORDS: Final = 6
_ONE_SLIP, _TWO_SLIPS = 7, 12  # letters of a name from which so many slips of the keyboard are read over


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A score that is asked for: an id of the formula table, "wells" (which one is not said) or "triage".

    `explicit` when a calculation is asked for, so that a recorded value is no answer. `question` are the words as
    typed, in which the clinician may have stated judgements.
    """

    score: str
    question: str
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    score: str
    first: int
    last: int
    name: str


def asked_for(question: str) -> ScoreRequest | None:
    """Return the score a question asks for; misspelt names are read where only one is near.

    "Why was the eGFR low?" or "eGFR in 2019" ask for something else: with words left over that are neither filler nor
    a stated judgement, the question is not taken.
    """
    parts = _PART.split(plain(question))
    for place, part in enumerate(parts):
        words = _WORD.findall(part)
        match = _best(words, everything=_WORD.findall(plain(question)))
        if match is None:
            continue
        said = set(_WORD.findall(plain(question)))
        explicit = bool(said & _calculate()) or match.name in read("names")["scores"][match.score].get("explicit", ())
        left = [*words[: match.first], *words[match.last :]]
        rest = " ".join([" ".join(left), *parts[:place], *parts[place + 1 :]])
        own = set(read("names")["scores"][match.score]["plain"])
        unread = set(_WORD.findall(without_answers(rest, match.score))) - _filler() - _calculate() - own
        return None if unread else ScoreRequest(match.score, question, explicit)
    return None


def _best(words: Sequence[str], everything: Sequence[str]) -> _Match | None:
    """Return the longest name in `words`; an exact one goes before a misspelt one."""
    exact = list(_matches(words, everything, slips=False))
    found = exact or list(_matches(words, everything, slips=True))
    if not found:
        return None
    best = max(found, key=lambda match: (match.last - match.first, len(match.name)))
    rivals = {one.score for one in found if (one.first, one.last) == (best.first, best.last)}
    return best if len(rivals) == 1 else None


def _matches(words: Sequence[str], everything: Sequence[str], *, slips: bool) -> Iterator[_Match]:
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + _MOST_WORDS) + 1):
            joined = "".join(words[first:last]).replace("'", "")
            for name, score in _names():
                if joined == name or (slips and _misspelt(joined, name)):
                    yield _Match(score, first, last, name)
            for name, score, beside in _names_with():
                if joined == name and set(beside) & set(everything):
                    yield _Match(score, first, last, name)


def _misspelt(typed: str, name: str) -> bool:
    allowed = 2 if len(name) >= _TWO_SLIPS else 1 if len(name) >= _ONE_SLIP else 0
    if not allowed or typed[:1] != name[:1] or abs(len(typed) - len(name)) > allowed:
        return False
    return distance(typed, name, allowed) <= allowed


@cache
def _names() -> tuple[tuple[str, str], ...]:
    return tuple((name, score) for score, row in read("names")["scores"].items() for name in row["plain"])


@cache
def _names_with() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (name, score, tuple(beside))
        for score, row in read("names")["scores"].items()
        for name, beside in row.get("with", {}).items()
    )


@cache
def _filler() -> frozenset[str]:
    return frozenset(read("names")["filler"])


@cache
def _calculate() -> frozenset[str]:
    return frozenset(read("names")["calculate"])
