"""Rewordings that keep what a sentence of a note says: (kind, rewording) in the order of their report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import CLINICAL, Concept, number_words
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = {str(number): word for word, number in number_words().items() if word not in {"twice", "thrice", "dozen"}}
_NUMBER = re.compile(
    r"(?<![\d./,-])(?<! to )(?<! or )\b([2-9]|1[0-2])\b"
    r"(?= (?:day|week|month|year|hour|minute|time|tablet|pill|puff)s?\b)"
)
_UNITS = {
    r"(?<=\d) mg\b(?!/)": " milligrams", r"(?<=\d) mcg\b": " micrograms", r"(?<=\d) cm\b": " centimeters",
    r"(?<=\d) ?%": " percent", r"\btwice a day\b": "twice daily", r"\btwice daily\b": "two times a day",
    r"\bonce a day\b": "daily", r"\bonce daily\b": "once a day", r"\bas needed\b": "PRN",
}  # fmt: skip
_PHRASES = (
    (r"\bdenies\b", "does not report"), (r"\bendorses\b", "reports"), (r"\bis currently taking\b", "takes"),
    (r"\bdemonstrates?\b", "showed"), (r"\breveals?\b", "shows"), (r"\bwithin normal limits\b", "normal"),
    (r"\bThere is no evidence of\b", "There is no"), (r"\bunremarkable\b", "normal"), (r"\bin order to\b", "to"),
    (r"\bsecondary to\b", "due to"), (r"\bapproximately\b", "about"), (r"\bfollow[- ]up\b", "follow up"),
    (r"\bpresents today for\b", "was seen today for"), (r"\bhas been taking\b", "takes"),
    (r"\bwas prescribed\b", "was given a prescription for"), (r"\bprior to\b", "before"),
)  # fmt: skip
_FEWEST = 4


def _by_table(rows: dict[str, str] | tuple[tuple[str, str], ...]) -> Callable[[str], str | None]:
    patterns = [(re.compile(row[0]), row[1]) for row in (rows.items() if isinstance(rows, dict) else rows)]

    def reword(sentence: str) -> str | None:
        for pattern, words in patterns:
            if pattern.search(sentence):
                return pattern.sub(words, sentence, count=1)
        return None

    return reword


def _numbers(sentence: str) -> str | None:
    match = _NUMBER.search(sentence)
    return None if match is None else sentence[: match.start()] + _WORDS[match[1]] + sentence[match.end() :]


def _other_name(sentence: str) -> str | None:
    """Name one clinical thing by another of its names."""
    words = tokens(sentence)
    for found in find_concepts(words):
        start, end = words[found.first].start, words[found.last - 1].end
        other = _alias(found.concept, sentence[start:end]) if found.concept.kind in CLINICAL else None
        if other is not None:
            return sentence[:start] + other + sentence[end:]
    return None


def _alias(concept: Concept, written: str) -> str | None:
    """Return the main name where another is written; never an adjective for a noun."""
    name = concept.names[0]
    same_form = written.lower() in {one.lower() for one in concept.names} and not written.lower().endswith(
        ("ed", "ing", "ic")
    )
    if (
        not same_form
        or not name.islower()
        or len(name) < _FEWEST
        or name.lower().rstrip("s") == written.lower().rstrip("s")
    ):
        return None
    return name


def _first_clause(sentence: str) -> str | None:
    """Return the first of two statements joined by "and" with a subject and verb of its own each."""
    match = re.search(
        r",? and (?=(?:he|she|they|the \w+|his|her) (?:is|was|has|had|will|reports|denies|takes)\b)", sentence
    )
    if match is None or re.search(r"\b(?:if|because|not|no)\b", sentence[: match.start()]):
        return None
    return sentence[: match.start()].rstrip(" ,") + "."


REWORDINGS: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    ("numbers-in-words", _numbers),
    ("units-spelled-out", _by_table(_UNITS)),
    ("other-phrase", _by_table(_PHRASES)),
    ("other-name", _other_name),
    ("one-of-two-statements", _first_clause),
)
