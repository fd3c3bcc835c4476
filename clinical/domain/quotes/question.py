"""A clinician's question read: what it is about, and what kind of sentence would answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.gate.mention import Mention
from clinical.domain.gate.reading import Reading, read
from clinical.domain.lexicon.abbreviations import in_words, undecided
from clinical.domain.lexicon.asked import written_out
from clinical.domain.lexicon.spelling import nearest_concept
from clinical.domain.lexicon.tables import CLINICAL, Kind, concepts, family_words, table, word_list
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.focus import Focus, focus_of, level_focus
from clinical.domain.quotes.intents import Intent, intents_of, sections_named
from clinical.domain.quotes.kin import idle_words, in_plain_words, known_stems, noise_words, weak_words

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "changed", "continued"})
_ACTION_WORDS = {
    "word:stop": "stopped", "word:hold": "stopped", "word:start": "started", "word:increase": "increased",
    "word:decrease": "decreased", "word:switch": "changed",
}  # fmt: skip
_YES_OR_NO = re.compile(
    r"\s*(?:is|are|was|were|does|do|did|has|have|had|can|could|would|will|should|any|ever|still)\b", re.IGNORECASE
)
_BACK_THEN = re.compile(r"\b(?:was|were|did|had|when|why|how come|first|ever|history)\b", re.IGNORECASE)
# Words of a question that only say what is wanted.
_SAID_BY_INTENT = {
    Intent.CAUSE: frozenset({"w:trigger", "word:cause", "w:behind", "w:provok", "w:lead", "w:led", "w:bring"}),
    Intent.DRUG: frozenset({"word:order", "w:prescrib", "w:given", "word:recommend"}),
    Intent.AMOUNT: frozenset({"w:siz", "w:dimension", "w:diameter"}),
    Intent.MANNER: frozenset({"w:discover", "w:found", "w:detect", "w:notic", "w:happen", "w:occur"}),
}
_CIRCUMSTANCES = frozenset(
    {"word:admission", "w:hospital", "w:ward", "w:clinic", "w:visit", "w:spring", "w:summer", "w:autumn", "w:winter"}
)
_FORMS = frozenset(
    {
        "word:injection",
        "w:injection",
        "w:dose",
        "w:dos",
        "w:tablet",
        "w:pill",
        "w:capsul",
        "w:pen",
        "w:cours",
        "w:therapy",
        "w:therapi",
        "w:treatment",
        "w:medicin",
        "w:medication",
        "w:drop",
        "w:syrup",
    }
)
_ENDINGS = (
    "ectomy", "ostomy", "otomy", "plasty", "scopy", "lysis", "osis", "itis", "emia", "aemia", "uria", "graphy", "gram",
    "pathy", "megaly", "penia", "cele", "algia",
)  # fmt: skip
_NOUNS = frozenset({"drops", "drop"})  # eye drops
_LEVEL = re.compile(r"\blevels?\b", re.IGNORECASE)
_DONE = re.compile(r"\b(?:when (?:was|were|did|had|has)|how long ago|last)\b", re.IGNORECASE)
_VALUE = re.compile(r"\s*what(?:'s| is| was| were) (?:the |his |her |their )?[\w-]+\s*\??\s*\Z", re.IGNORECASE)
_FUTURE = re.compile(
    r"\b(?:next|when (?:will|should)|upcoming|when (?:is|are)\b.*\b(?:due|scheduled|booked|planned|expected))\b",
    re.IGNORECASE,
)
_ONSET = re.compile(r"\b(?:start\w*|beg[aiu]n|onset|since when|how long|came on|come on)\b", re.IGNORECASE)
_MODALS = frozenset({"could", "can", "might", "may", "would", "should"})
_WISHES = frozenset({"plan", "planning", "want", "wants", "going", "wish", "wishes", "like", "hope", "hopes", "plans"})
_BLOOD = frozenset({
    "mother", "father", "parent", "sister", "brother", "sibling", "grandmother", "grandfather", "grandparent", "aunt",
    "uncle", "cousin", "nephew", "niece",
})  # fmt: skip
_BESIDE = frozenset({"with", "to", "by", "and", "for", "from"})
_LATEST = re.compile(r"\b(?:latest|last|most recent|current|currently|now|today|newest)\b", re.IGNORECASE)
_MEDICATIONS = re.compile(r"\b(?:medications?|medicines?|meds|drugs|prescriptions?|tablets|pills)\b", re.IGNORECASE)
_EITHER = re.compile(r"\b(?P<one>[a-z][\w-]{2,}) or (?P<other>[a-z][\w-]{2,})\b", re.IGNORECASE)
_FAMILY = re.compile(
    r"\b(?:family|familial|relatives?|hereditary|genetic(?! (?:test|counsel|screen))|runs? in)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how.

    A sentence must name everything in `focus`, and most of `words`; `weak` are stems of further words that only rank.
    `qualifiers`: those of them right before a thing asked about ("bone marrow" biopsy), where it asks whether it was.
    `sections`: titles of the sections asked for, where nothing else is named ("what is the diagnosis"). `yes_no`: it
    asks whether something is so. `present`: it asks how things are, so that newer records go first; `latest`: it
    says so. `onset`: it asks about a beginning; `back_then`: when something was; `to_come`: when something will be.
    """

    focus: tuple[Focus, ...]
    sections: frozenset[str]
    words: frozenset[str]
    qualifiers: frozenset[str]
    sides: frozenset[str]
    actions: frozenset[str]
    intents: frozenset[Intent]
    relatives: frozenset[str]
    of_family: bool
    of_allergy: bool
    medications: bool
    latest: bool
    present: bool
    back_then: bool
    to_come: bool
    onset: bool
    yes_no: bool
    weak: frozenset[str]
    reading: Reading

    @property
    def concepts(self) -> tuple[frozenset[str], ...]:
        """The keys of each thing asked about."""
        return tuple(one.keys for one in self.focus)


def alternatives(text: str) -> tuple[str, ...]:
    """Return the question asked of each alternative ("tissue or mechanical valve?"); none where it has none."""
    match = _EITHER.search(text)
    if match is None:
        return ()
    return tuple(f"{text[: match.start()]}{match[side]}{text[match.end() :]}" for side in ("one", "other"))


def read_question(text: str, *, held: Callable[[str], bool] | None = None) -> Question:
    """Read a question as typed: abbreviations in any case, slips of spelling in long names.

    `held` tells of a word, lower case, whether the record holds it: such a word is no slip.
    """
    text = in_plain_words(written_out(undecided(in_words(text))))
    reading = read(_spelt(text, held), loose=True)
    clinical = [one for one in reading.mentions if one.clinical]
    actions = {_ACTION_WORDS[one.key] for one in reading.mentions if _is_action(one, reading)}
    if clinical and all(one.kind is Kind.CONDITION for one in clinical):
        actions -= {"started"}  # the onset of a symptom is no treatment begun
    asks_if = bool(_YES_OR_NO.match(text)) and not re.match(r"\s*any\b", text, re.IGNORECASE)
    sides = frozenset(one.key for one in reading.mentions if one.key in {"word:left", "word:right", "word:bilateral"})
    intents = intents_of(text, clinical, actions=bool(actions))
    said = frozenset().union(*(keys for intent, keys in _SAID_BY_INTENT.items() if intent in intents))
    words = frozenset(
        one.key for one in reading.mentions
        if not one.clinical and one.key not in _ACTION_WORDS and one.key not in sides | said and not _dropped(one)
    )  # fmt: skip
    plain = {stem(one.text.lower()) for one in reading.mentions if one.key in words}
    if not intents and _VALUE.match(text) and not known_stems() & plain:
        intents = frozenset({Intent.STATED})
    focus, taken = focus_of(clinical, reading, words)
    words -= taken
    if any(one.drug for one in focus) and _LEVEL.search(text):
        focus.append(level_focus())
    if not intents and not asks_if and any(one.measured and one.listed for one in focus):
        intents = frozenset({Intent.RESULT})
    if focus and Intent.CAUSE in intents:
        words -= _CIRCUMSTANCES  # "why was she delirious in hospital"
    if any(one.drug for one in focus):
        words -= _FORMS
    medications = not focus and bool(_MEDICATIONS.search(text))
    named = frozenset(key for one in focus for key in one.keys if not key.startswith("phrase:"))
    sections = sections_named(text, named) if not words and (named or not focus) and not asks_if else frozenset()
    if not (focus or words or medications or sections):
        weak = [one for one in reading.mentions if one.key in _ACTION_WORDS] or _mentions_of(reading, weak_words())
        if not weak and intents & {Intent.PERSON, Intent.CAUSE}:
            told = frozenset(word.stem for word in reading.words if word.is_word)
            weak = _mentions_of(reading, told - idle_words() - frozenset(map(stem, family_words())))
        reading = replace(reading, mentions=tuple(weak))
        words = frozenset(one.key for one in weak)
    relatives = frozenset(cue for cue in reading.cues if cue.startswith("family:"))
    relatives |= _asked_of(reading)
    return Question(
        focus=tuple(focus),
        sections=sections,
        words=words - {"w:family"} if relatives or _FAMILY.search(text) else words,
        qualifiers=_qualifiers(reading, words) & (words if asks_if else _measure_qualifiers()),
        sides=sides,
        actions=frozenset(actions),
        intents=intents,
        relatives=relatives - {"family:any"},
        of_family=bool(relatives) or bool(_FAMILY.search(text)),
        of_allergy="allergy" in reading.keys or bool(reading.cues & {"allergy", "intolerance", "avoid"}),
        medications=medications,
        latest=bool(_LATEST.search(text)),
        present=not _BACK_THEN.search(text),
        back_then=bool(_DONE.search(text)),
        to_come=bool(_FUTURE.search(text)) and not _DONE.search(text),
        onset=bool(_ONSET.search(text)),
        yes_no=bool(_YES_OR_NO.match(text)) and Intent.DRUG not in intents,
        weak=frozenset(word.stem for word in reading.words) & weak_words(),
        reading=reading,
    )


@cache
def _measure_qualifiers() -> frozenset[str]:
    """Return words that make a measured thing another one: "dry" weight, "birth" weight, "home" blood pressure."""
    return frozenset(f"w:{stem(word)}" for word in word_list("measure_qualifiers"))


def _qualifiers(reading: Reading, words: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for thing in (one for one in reading.mentions if one.clinical):
        first = thing.first
        for one in reversed(reading.mentions):
            if one.last == first and one.key in words:
                found.add(one.key)
                first = one.first
    return frozenset(found)


def _asked_of(reading: Reading) -> set[str]:
    """Return the blood relatives a question is about: "has the brother been tested", not "lives with her mother"."""
    found = set()
    for at, word in enumerate(reading.words):
        who = family_words().get(word.low, "")
        before = {one.low for one in reading.words[max(at - 2, 0) : at]}
        if who in _BLOOD and not before & _BESIDE:
            found.add(f"family:{who}")
    return found


def action_of(mention: Mention) -> str:
    """Return what a word says is done ("climbing": increased), "" if nothing."""
    return _ACTION_WORDS.get(mention.key, "")


def _mentions_of(reading: Reading, stems: frozenset[str]) -> list[Mention]:
    """Return these words of a question as mentions, though they weigh little elsewhere ("therapy", "level")."""
    return [
        Mention(f"w:{word.stem}", frozenset({f"w:{word.stem}"}), Kind.WORD, at, at + 1, 0, frozenset(), word.text)
        for at, word in enumerate(reading.words)
        if word.stem in stems
    ]


def _is_action(mention: Mention, reading: Reading) -> bool:
    """Whether something is said to have been done to a thing: not "could raise potassium", not "who holds"."""
    if mention.key not in _ACTION_WORDS or mention.text.lower() in _NOUNS:
        return False
    before = [word.low for word in reading.words[max(mention.first - 2, 0) : mention.first]]
    if before[-1:] == ["to"] and not _WISHES & set(before):
        return False
    return not _MODALS & set(before[-1:]) and any(one.clinical for one in reading.mentions)


def _dropped(mention: Mention) -> bool:
    key = mention.key.partition(":")[2]
    idle = _question_stems() | noise_words()
    return key in idle or all(stem(word) in idle for word in mention.text.lower().split())


@cache
def _question_stems() -> frozenset[str]:
    return frozenset(stem(word) for row in table("question_words")["rows"] for word in row.split())


def _spelt(text: str, held: Callable[[str], bool] | None) -> str:
    """Put the known name for a long word that is a slip or two from it and is no known word itself."""
    plain = {one.text.lower() for one in read(text, loose=True).mentions if one.key.startswith("w:")}

    def mended(match: re.Match[str]) -> str:
        word = match.group()
        if word.lower() not in plain or stem(word.lower()) in _known_stems():
            return word
        concept = nearest_concept(word)
        if concept is None or concept.kind not in CLINICAL or (held is not None and held(word.lower())):
            return word
        return concept.names[0] if same_ending(word.lower(), concept.names) else word

    return re.sub(r"[A-Za-z]{6,}", mended, text)


def same_ending(word: str, names: tuple[str, ...]) -> bool:
    """Return whether a word ends as one of the names does: colectomy is no slip of colostomy."""
    ending = next((one for one in _ENDINGS if word.endswith(one)), "")
    return not ending or any(name.lower().endswith(ending) for name in names)


@cache
def _known_stems() -> frozenset[str]:
    """Return the stems of every word of a name of several words and of the tables of kindred words."""
    names = (token.stem for one in concepts().values() for name in one.names if " " in name for token in tokens(name))
    return frozenset(names) | known_stems()
