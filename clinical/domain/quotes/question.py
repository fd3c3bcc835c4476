"""A clinician's question read: what it is about, and what kind of sentence would answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import Reading, read
from clinical.domain.lexicon.spelling import nearest_concept
from clinical.domain.lexicon.tables import CLINICAL, Kind, table
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention

ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "changed", "continued"})
_ACTION_WORDS = {
    "word:stop": "stopped", "word:hold": "stopped", "word:start": "started", "word:increase": "increased",
    "word:decrease": "decreased", "word:switch": "changed",
}  # fmt: skip
_WHY = re.compile(
    r"\b(?:why|what(?: was| is)?(?: the)? (?:reason|indication|cause|caused)|how come|what for)\b", re.IGNORECASE
)
_WHEN = re.compile(r"\b(?:when|what (?:date|day|year|month|time)|how long ago|since when|what age)\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many|high|low|often|long|far|big|large|old|tall|heavy|frequently)|what (?:dose"
    r"|dosage|strength"
    r"|percentage|percent|size|level|value|number|rate|score|is the dose|was the dose|frequency)"
    r"|dose of|dosage of)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"^\s*(?:who|whom|by whom|which (?:doctor|surgeon|physician|specialist|nurse))\b", re.IGNORECASE)
_SIDE = re.compile(
    r"\b(?:which (?:side|knee|leg|arm|eye|ear|foot|hip|hand|shoulder|breast|lung|ankle|wrist|elbow|one))\b",
    re.IGNORECASE,
)
_PLAN = re.compile(r"\b(?:plan|planned|next step|follow[ -]?up|recommend\w*|advised|going to)\b", re.IGNORECASE)
_RESULT = re.compile(
    r"\b(?:show\w*|result\w*|find\w*|found|reveal\w*|demonstrate\w*|latest|last|most recent|value|level)\b",
    re.IGNORECASE,
)
_LATEST = re.compile(r"\b(?:latest|last|most recent|current|currently|now|today|newest)\b", re.IGNORECASE)
_MEDICATIONS = re.compile(r"\b(?:medications?|medicines?|meds|drugs|prescriptions?|tablets|pills)\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:family|familial|relatives?|hereditary|genetic|runs? in)\b", re.IGNORECASE)


class Intent(StrEnum):
    """What a sentence must hold beside the things asked about."""

    CAUSE = "cause"
    DATE = "date"
    AMOUNT = "amount"
    RESULT = "result"
    PERSON = "person"
    SIDE = "side"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. A sentence must name every group of `concepts` (any one of a group), and most of `words`."""

    concepts: tuple[frozenset[str], ...]
    words: frozenset[str]
    sides: frozenset[str]
    actions: frozenset[str]
    intents: frozenset[Intent]
    relatives: frozenset[str]
    of_family: bool
    of_allergy: bool
    medications: bool
    latest: bool
    reading: Reading


def read_question(text: str) -> Question:
    """Read a question as typed: abbreviations in any case, slips of spelling in long names."""
    reading = read(_spelt(text), loose=True)
    clinical = [one for one in reading.mentions if one.clinical]
    actions = {_ACTION_WORDS[one.key] for one in reading.mentions if one.key in _ACTION_WORDS}
    sides = frozenset(one.key for one in reading.mentions if one.key in {"word:left", "word:right", "word:bilateral"})
    words = frozenset(
        one.key for one in reading.mentions
        if not one.clinical and one.key not in _ACTION_WORDS and one.key not in sides and not _dropped(one)
    )  # fmt: skip
    relatives = frozenset(cue for cue in reading.cues if cue.startswith("family:"))
    medications = not clinical and bool(_MEDICATIONS.search(text))
    return Question(
        concepts=tuple(_grouped(clinical, reading)),
        words=words - {"w:family"} if relatives or _FAMILY.search(text) else words,
        sides=sides,
        actions=frozenset(actions),
        intents=_intents(text, clinical, actions=bool(actions)),
        relatives=relatives - {"family:any"},
        of_family=bool(relatives) or bool(_FAMILY.search(text)),
        of_allergy="allergy" in reading.keys or bool(reading.cues & {"allergy", "intolerance", "avoid"}),
        medications=medications,
        latest=bool(_LATEST.search(text)),
        reading=reading,
    )


def _intents(text: str, clinical: list[Mention], *, actions: bool) -> frozenset[Intent]:
    found = set()
    for intent, pattern in (
        (Intent.CAUSE, _WHY),
        (Intent.DATE, _WHEN),
        (Intent.AMOUNT, _AMOUNT),
        (Intent.PERSON, _WHO),
        (Intent.SIDE, _SIDE),
    ):
        if pattern.search(text):
            found.add(intent)
    measured = any(one.kind in {Kind.TEST, Kind.VITAL} for one in clinical)
    if measured and not found and not actions and (_RESULT.search(text) or re.match(r"\s*what\b", text, re.IGNORECASE)):
        found.add(Intent.RESULT)
    if _PLAN.search(text) and not found:
        found.add(Intent.PLAN)
    return frozenset(found)


def _grouped(clinical: list[Mention], reading: Reading) -> list[frozenset[str]]:
    """Things joined by "and", "or" or a comma may be answered one at a time; any other two belong together."""
    groups: list[set[str]] = []
    end = -1
    for mention in clinical:
        between = {word.low for word in reading.words[end : mention.first]} if groups else set()
        if groups and between and between <= {",", "and", "or", "/", "the", "a", "any", "her", "his"}:
            groups[-1].add(mention.key)
        else:
            groups.append({mention.key})
        end = mention.last
    return [frozenset(group) for group in groups]


def _dropped(mention: Mention) -> bool:
    key = mention.key.partition(":")[2]
    return key in _question_stems() or all(stem(word) in _question_stems() for word in mention.text.lower().split())


@cache
def _question_stems() -> frozenset[str]:
    return frozenset(stem(word) for row in table("question_words")["rows"] for word in row.split())


def _spelt(text: str) -> str:
    """Put the known name for a long word that is one or two slips from it and is in no table itself."""

    def mended(match: re.Match[str]) -> str:
        word = match.group()
        key = f"w:{stem(word.lower())}"
        known = read(word, loose=True)
        if not any(one.key == key for one in known.mentions):
            return word
        concept = nearest_concept(word)
        return word if concept is None or concept.kind not in CLINICAL else concept.names[0]

    return re.sub(r"[A-Za-z]{6,}", mended, text)
