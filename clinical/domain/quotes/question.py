"""A clinician's question read: what it is about, and what kind of sentence would answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import Reading, read
from clinical.domain.lexicon.spelling import nearest_concept
from clinical.domain.lexicon.tables import CLINICAL, Kind, concepts, table
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.intents import Intent, intents_of, sections_named
from clinical.domain.quotes.kin import kin_of

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention

ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "changed", "continued"})
_ACTION_WORDS = {
    "word:stop": "stopped", "word:hold": "stopped", "word:start": "started", "word:increase": "increased",
    "word:decrease": "decreased", "word:switch": "changed",
}  # fmt: skip
_YES_OR_NO = re.compile(
    r"\s*(?:is|are|was|were|does|do|did|has|have|had|can|could|would|will|should|any|ever|still)\b", re.IGNORECASE
)
_BACK_THEN = re.compile(r"\b(?:was|were|did|had|when|why|how come|first|ever|history)\b", re.IGNORECASE)
_MODALS = frozenset({"could", "can", "might", "may", "would", "should", "to"})
_LATEST = re.compile(r"\b(?:latest|last|most recent|current|currently|now|today|newest)\b", re.IGNORECASE)
_MEDICATIONS = re.compile(r"\b(?:medications?|medicines?|meds|drugs|prescriptions?|tablets|pills)\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:family|familial|relatives?|hereditary|genetic|runs? in)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Focus:
    """One thing asked about: any of `keys`; the noun it only qualifies ("pump" of "insulin pump") as `head`.

    `kin` are stems of words that may stand for it in an answer; `spelled` the stems of its names of several
    words, which may stand apart ("breast or ovarian cancers"). `measured`: a test or vital sign, whose result is
    only where it is named.
    """

    keys: frozenset[str]
    head: frozenset[str]
    kin: frozenset[str]
    spelled: tuple[frozenset[str], ...]
    measured: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how.

    A sentence must name everything in `focus`, and most of `words`. `sections`: titles of the sections asked
    for, where nothing else is named ("what is the diagnosis"). `yes_no`: it asks whether something is so.
    `present`: it asks how things are, so that newer records go first; `latest`: it says so.
    """

    focus: tuple[Focus, ...]
    sections: frozenset[str]
    words: frozenset[str]
    sides: frozenset[str]
    actions: frozenset[str]
    intents: frozenset[Intent]
    relatives: frozenset[str]
    of_family: bool
    of_allergy: bool
    medications: bool
    latest: bool
    present: bool
    yes_no: bool
    reading: Reading

    @property
    def concepts(self) -> tuple[frozenset[str], ...]:
        """The keys of each thing asked about."""
        return tuple(one.keys for one in self.focus)


def read_question(text: str) -> Question:
    """Read a question as typed: abbreviations in any case, slips of spelling in long names."""
    reading = read(_spelt(text), loose=True)
    clinical = [one for one in reading.mentions if one.clinical]
    done = [one for one in reading.mentions if _is_action(one, reading)]
    actions = {_ACTION_WORDS[one.key] for one in done}
    sides = frozenset(one.key for one in reading.mentions if one.key in {"word:left", "word:right", "word:bilateral"})
    words = frozenset(
        one.key for one in reading.mentions
        if not one.clinical and one.key not in _ACTION_WORDS and one.key not in sides and not _dropped(one)
    )  # fmt: skip
    relatives = frozenset(cue for cue in reading.cues if cue.startswith("family:"))
    medications = not clinical and bool(_MEDICATIONS.search(text))
    groups = _grouped(clinical, reading)
    return Question(
        focus=tuple(_focus(group, reading, words) for group in groups),
        sections=sections_named(text) if not (groups or words) else frozenset(),
        words=words - {"w:family"} if relatives or _FAMILY.search(text) else words,
        sides=sides,
        actions=frozenset(actions),
        intents=intents_of(text, clinical, actions=bool(actions)),
        relatives=relatives - {"family:any"},
        of_family=bool(relatives) or bool(_FAMILY.search(text)),
        of_allergy="allergy" in reading.keys or bool(reading.cues & {"allergy", "intolerance", "avoid"}),
        medications=medications,
        latest=bool(_LATEST.search(text)),
        present=not _BACK_THEN.search(text),
        yes_no=bool(_YES_OR_NO.match(text)),
        reading=reading,
    )


def action_of(mention: Mention) -> str:
    """Return what a word says is done ("climbing": increased), "" if nothing."""
    return _ACTION_WORDS.get(mention.key, "")


def _is_action(mention: Mention, reading: Reading) -> bool:
    """Whether something is said to have been done to a thing: not "could raise potassium", not "who holds"."""
    if mention.key not in _ACTION_WORDS:
        return False
    before = reading.words[mention.first - 1].low if mention.first else ""
    return before not in _MODALS and any(one.clinical for one in reading.mentions)


def _grouped(clinical: list[Mention], reading: Reading) -> list[list[Mention]]:
    """Things joined by "and", "or" or a comma may be answered one at a time; any other two belong together."""
    groups: list[list[Mention]] = []
    end = -1
    for mention in clinical:
        between = {word.low for word in reading.words[end : mention.first]} if groups else set()
        if groups and between and between <= {",", "and", "or", "/", "the", "a", "any", "her", "his"}:
            groups[-1].append(mention)
        else:
            groups.append([mention])
        end = mention.last
    return groups


def _focus(group: list[Mention], reading: Reading, words: frozenset[str]) -> Focus:
    keys = frozenset(one.key for one in group)
    named = [name for key in keys if (concept := concepts().get(key)) for name in concept.names if " " in name]
    return Focus(
        keys,
        _head(group[-1], reading, words),
        frozenset().union(*(kin_of(word) - {stem(word)} for one in group for word in one.text.lower().split())),
        tuple(frozenset(token.stem for token in tokens(name)) for name in named),
        any(one.kind in {Kind.TEST, Kind.VITAL} for one in group),
    )


def _head(mention: Mention, reading: Reading, words: frozenset[str]) -> frozenset[str]:
    """Return the plain word right after a name, which the name then only qualifies: "pump" of "insulin pump"."""
    return frozenset(one.key for one in reading.mentions if one.first == mention.last and one.key in words)


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
