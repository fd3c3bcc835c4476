"""Whether a question names somebody other than the patient whose chart is open, by name or by number.

A question about another person must not be answered from the open chart as if it were about him. Staff, relatives by
their word ("her mother"), medicines and the names of diseases, signs and scores name nobody else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from clinical.domain.demographics import fold
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import CLINICAL, Kind
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clinical.domain.projection.rows import PatientRow

_WORD: Final = re.compile(
    r"(?P<base>[^\W\d_](?:['\u2019](?=[A-Z])|[\w-])*)\.?(?P<owns>['\u2019]s\b|(?<=s)['\u2019](?!\w))?"
)
_NUMBER: Final = re.compile(
    r"\b(?:mrn|nhs(?: number| no\.?)?|(?:hospital|patient|record|chart|case) (?:number|no\.?|id))\W{0,3}"
    r"(?P<number>[a-z]{0,4}-?\d[\d -]{2,}\d)",
    re.IGNORECASE,
)
_ANOTHER: Final = re.compile(
    r"\b(?:another|the (?:other|next|previous)|my (?:other|next|last)) patient['\u2019]s\b", re.IGNORECASE
)
_IN_BED: Final = re.compile(r"\bpatient in bed \d+\b", re.IGNORECASE)
_ASKS_OF: Final = frozenset({
    "is", "was", "are", "does", "did", "do", "has", "had", "can", "could", "should", "will", "would", "for", "of",
    "about", "on", "give", "patient", "pt", "and", "with",
})  # fmt: skip
_ASKS: Final = _ASKS_OF | {
    "what",
    "which",
    "who",
    "when",
    "where",
    "why",
    "how",
    "any",
    "show",
    "list",
    "latest",
    "last",
}
_WHEN_CAPITAL: Final = frozenset({"miss", "master", "mister"})  # verbs and ordinary words in lower case
_STATES: Final = re.compile(
    r"^(?:ever |still |also )?(?:have|had|take|taken|get|got|suffer\w*|weigh\w*|smoke\w*|drink\w*|use[sd]?|need\w*)\b"
)
_BELONGING: Final = frozenset({"for", "of"})
_LINKS: Final = frozenset({"is", "was", "are", "were"})
_OWNED_REACH: Final = 3  # words after "Brown's" in which the thing owned stands
_SHORTEST: Final = 3  # letters of a name in no list
_MOST_SHOWN: Final = 60  # characters
_DIGITS_OR_LETTERS: Final = re.compile(r"[^0-9a-z]")


@dataclass(frozen=True, slots=True)
class Person:
    """Whose chart is open: folded words of all names, the FHIR gender, all identifiers without punctuation."""

    names: frozenset[str]
    gender: str
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else, in the question's own `words`.

    `name` is the folded name to look for in a text, "" for a number; `concerns` whether a finding, a medicine or a
    state of that person is asked, and not only what the person did.
    """

    words: str
    name: str
    concerns: bool


@dataclass(frozen=True, slots=True)
class _Word:
    base: str
    owns: bool
    start: int
    end: int

    @property
    def low(self) -> str:
        return fold(self.base)

    @property
    def capital(self) -> bool:
        return self.base[:1].isupper()


def person_of(row: PatientRow) -> Person:
    """Return whose chart it is. Digits in names, which synthetic records carry, do not count."""
    words = {part for name in (row.text, *row.names) for part in re.split(r"[^\w]+", fold(re.sub(r"\d", "", name)))}
    numbers = frozenset(_plain(value) for _type, _system, value in row.identifiers)
    return Person(frozenset(words - {""}) - _set("address"), row.gender, numbers)


def other_named(question: str, person: Person) -> Other | None:
    """Return whom else the question names; None where it names nobody, the patient, or staff."""
    for match in _NUMBER.finditer(question):
        number = _plain(match["number"])
        if not any(number == one or number == re.sub(r"\D", "", one) for one in person.numbers):
            return Other(match.group()[:_MOST_SHOWN], "", concerns=True)
    if in_bed := _IN_BED.search(question):
        return Other(in_bed.group(), "", concerns=True)
    if (another := _ANOTHER.search(question)) and _owned(question[another.end() :]):
        return Other(another.group(), "", concerns=True)
    if not person.names:
        return None  # nobody to compare with
    words = [_Word(one["base"], one["owns"] is not None, one.start(), one.end()) for one in _WORD.finditer(question)]
    for at in range(len(words)):
        if (found := _other_at(question, words, at, person)) is not None:
            return found
    return None


def _other_at(question: str, words: Sequence[_Word], at: int, person: Person) -> Other | None:
    word = words[at]
    before = words[at - 1] if at else None
    address = before is not None and _is_address(before)
    staff = any(one.low in _set("staff") for one in words[max(at - 2, 0) : at])
    if word.low in _set("not_persons") | _ASKS or (staff and not address):
        return None
    whole = _whole_name(question, words, at)
    names = {part for one in whole for part in one.low.split("-")}
    if address and before is not None and (word.capital or word.owns or _is_name(word)):
        said = _table()["address"][before.low]
        own = bool(names & person.names)
        if own and not (said and person.gender in {"male", "female"} and said != person.gender):
            return None
        name = f"{before.low} {word.low}" if own else whole[-1].low
        return _other(question, before.start, whole[-1], words, name)
    if names & person.names or not _names_somebody(question, words, at, whole):
        return None
    return _other(question, word.start, whole[-1], words, whole[-1].low)


def _is_address(word: _Word) -> bool:
    """Whether it is a form of address: Mr or mr, but MR is an imaging test and MS a disease."""
    shouted = word.base.isupper() and len(word.base) > 1
    return word.low in _set("address") and not shouted and (word.capital or word.low not in _WHEN_CAPITAL)


def _names_somebody(question: str, words: Sequence[_Word], at: int, whole: Sequence[_Word]) -> bool:
    """Whether a name stands here without a form of address."""
    word, last = words[at], whole[-1]
    owned = last.owns and _owned(question[last.end :])
    following = words[at + 1] if at + 1 < len(words) else None
    if find_concepts(tokens(word.base)) or (following is not None and following.low in _set("eponym_nouns")):
        return False
    if word.low in _set("eponyms"):
        return owned and word.low in _set("surnames") and _measured(question[last.end :])
    if not word.capital:
        return owned and _is_name(word)
    if word.low in _set("given") or (len(whole) > 1 and _is_name(word) and any(map(_is_name, whole[1:]))):
        return True
    if owned:
        return _is_name(word) or (len(word.base) >= _SHORTEST and not word.base.isupper())
    leads = at > 0 and words[at - 1].low in _ASKS_OF
    return leads and word.low in _set("surnames")


def _is_name(word: _Word) -> bool:
    return word.low in _set("given") or word.low in _set("surnames") or word.low in _set("ambiguous")


def _whole_name(question: str, words: Sequence[_Word], at: int) -> list[_Word]:
    """Return the capitalised words from `at` on that stand side by side."""
    whole = [words[at]]
    for one in words[at + 1 :]:
        if whole[-1].owns or not one.capital or question[whole[-1].end : one.start].strip():
            break
        if find_concepts(tokens(one.base)):
            break
        whole.append(one)
    return whole


def _other(question: str, start: int, last: _Word, words: Sequence[_Word], name: str) -> Other:
    end = last.start + len(last.base)
    shown = question[start:end][:_MOST_SHOWN]
    rest = question[last.end :].strip().lower()
    if last.owns:
        return Other(shown, name, concerns=_owned(rest))
    verb = next((one.low for one in reversed(words) if one.end <= start), "")
    states = (verb in _LINKS and _owned(question, len(question))) or bool(_STATES.match(rest))
    return Other(shown, name, concerns=states or verb in _BELONGING or _owned(rest, 1))


def _owned(rest: str, reach: int = _OWNED_REACH) -> bool:
    """Whether what follows is something of a patient: a test, a medicine, a list of his chart."""
    words = re.findall(r"[\w-]+", rest.lower())[:reach]
    return bool(_set("owned") & set(words)) or any(
        one.concept.kind in CLINICAL for one in find_concepts(tokens(" ".join(words)), loose=True)
    )


def _measured(rest: str) -> bool:
    words = " ".join(re.findall(r"[\w-]+", rest.lower())[:_OWNED_REACH])
    return any(one.concept.kind in {Kind.TEST, Kind.VITAL} for one in find_concepts(tokens(words), loose=True))


def names_in(text: str) -> Callable[[str], bool]:
    """Return a function that tells of a folded name whether the text holds it as a word."""
    folded = fold(text)
    return lambda name: bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) is not None


def _plain(value: str) -> str:
    return _DIGITS_OR_LETTERS.sub("", value.lower())


@cache
def _table() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = json.loads(
        files(__package__).joinpath("persons.json").read_text(encoding="utf-8")
    )
    return loaded


@cache
def _set(part: str) -> frozenset[str]:
    """Return one list of the table, folded."""
    return frozenset(map(fold, _table()[part]))
