"""Words that a question and its answer use for one matter ("prefers", "choice"): they find, and prove nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from clinical.domain.lexicon.abbreviations import abbreviations
from clinical.domain.lexicon.words import stem, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.domain.lexicon.abbreviations import Abbreviation
    from clinical.domain.lexicon.words import Token

_PAIR = 2
_LITTLE = frozenset({
    "a", "an", "the", "of", "on", "in", "at", "to", "for", "with", "by", "per", "and", "or", "is", "her", "his", "has",
    "been",
})  # fmt: skip


@cache
def sections() -> tuple[tuple[re.Pattern[str], frozenset[str], frozenset[str]], ...]:
    """Return patterns of questions for a whole section, with the concepts such a question names, and the titles."""
    return tuple(
        (re.compile(row["asked"], re.IGNORECASE), frozenset(row.get("of", ())), frozenset(row["titles"]))
        for row in _table()["sections"]
    )


@cache
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("kin.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in _table()["groups"]:
        stems = frozenset(stem(word) for word in row.split())
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems
    for word, members in _table()["kinds"].items():  # one way: a pilates class is exercise, exercise is not pilates
        key = stem(word)
        found[key] = found.get(key, frozenset()) | {stem(member) for member in members.split()}
    return found


@cache
def surfaces() -> dict[str, frozenset[str]]:
    """Return, for each stem, the words of these tables that have it: "fell" and "fall" share one."""
    found: dict[str, set[str]] = {}
    for row in _table()["groups"]:
        for word in row.split():
            found.setdefault(stem(word), set()).add(word)
    return {key: frozenset(words) for key, words in found.items()}


@cache
def _rewrites() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), plainer) for pattern, plainer in _table()["rewrites"])


def in_plain_words(question: str) -> str:
    """Return a question with idioms put into the words that records use ("sets off": triggers)."""
    for pattern, plainer in _rewrites():
        question = pattern.sub(plainer, question)
    return question


@cache
def weak_words() -> frozenset[str]:
    """Return the stems of words that a question is about only where it names nothing else ("therapy")."""
    return frozenset(stem(word) for word in _table()["weak"].split())


def kin_of(word: str) -> frozenset[str]:
    """Return the stems of the words that may stand for `word` in an answer, itself included; lower case."""
    key = stem(word)
    return _groups().get(key, frozenset()) | {key}


def meets(kin: frozenset[str], stems: frozenset[str]) -> bool:
    """Return whether one of the stems is among the kin, or ends as a kin like "*ectomy" says."""
    if kin & stems:
        return True
    endings = tuple(one[1:] for one in kin if one.startswith("*"))
    return bool(endings) and any(one.endswith(endings) for one in stems)


@cache
def noise_words() -> frozenset[str]:
    """Return the stems of words that ask for nothing of their own ("doing", "okay")."""
    return frozenset(stem(word) for word in _table()["noise"].split())


@cache
def idle_words() -> frozenset[str]:
    """Return the stems of words that stand for nothing, even where a question holds no others ("who", "was")."""
    return frozenset(stem(word) for word in _table()["idle"].split())


@cache
def known_stems() -> frozenset[str]:
    """Return the stems of every word of these tables: words that are no slip of another."""
    phrases = frozenset(one for row in _phrase_rows() for phrase in row.stems for one in phrase)
    return frozenset(_groups()) | frozenset().union(*_groups().values()) | phrases | weak_words() | noise_words()


@dataclass(frozen=True, slots=True)
class PhraseRow:
    """Phrases for one matter, and the stems of each without its little words.

    `asked`: the stems of those that a question may use. `measured`: it is a test. `exact`: single words, in the case
    in which alone a question names it.
    """

    phrases: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    asked: tuple[frozenset[str], ...]
    measured: bool
    exact: frozenset[str] = frozenset()


@cache
def _phrase_rows() -> tuple[PhraseRow, ...]:
    loaded = json.loads(files(__package__).joinpath("phrases.json").read_text(encoding="utf-8"))
    listed = (_row(row, measured=name == "measured") for name in ("rows", "measured") for row in loaded[name])
    return (*listed, *(row for one in abbreviations() if not one.written_out for row in _abbreviated(one)))


def _abbreviated(one: Abbreviation) -> Iterator[PhraseRow]:
    """Yield what is looked for where an abbreviation is asked about (all it may mean), and a meaning.

    What a note abbreviates with more than one meaning is not taken for any of them.
    """
    phrases = (*one.short, *one.wordings, *one.narrower)
    stems = tuple(map(weighty, phrases))
    exact = frozenset(one.short) if one.exact else frozenset()
    yield PhraseRow(phrases, stems, stems[: len(one.short)], measured=one.measured, exact=exact)
    for meaning in one.meanings:
        phrases = meaning if one.ambiguous else (*meaning, *one.short)
        asked = tuple(said for said in map(weighty, meaning) if len(said) > 1)
        yield PhraseRow(phrases, tuple(map(weighty, phrases)), asked, measured=one.measured)


def _row(row: list[str] | dict[str, list[str]], *, measured: bool) -> PhraseRow:
    if isinstance(row, dict):
        asked, phrases = row["asked"], (*row["asked"], *row["said"])
    else:
        # Other single words are named by the lexicon, or are too common to be the matter of a question.
        phrases = tuple(row)
        asked = [one for one in row if len(weighty(one)) > 1 or one[0].isupper()]
    return PhraseRow(
        phrases, tuple(map(weighty, phrases)), tuple(frozenset(weighty(one)) for one in asked), measured=measured
    )


def weighty(phrase: str) -> frozenset[str]:
    """Return the stems of a phrase without its little words."""
    return frozenset(token.stem for token in tokens(phrase) if token.is_word and token.low not in _LITTLE)


def phrases_for(words: Sequence[Token]) -> list[tuple[frozenset[str], PhraseRow]]:
    """Return, for each matter a question names in a listed phrase, the stems of that phrase and its row.

    The words of a phrase stand together, in any order, those of a longer one with at most one other among them. A
    phrase that stands in two rows may mean either: the rows become one.
    """
    stems = [word.stem for word in words if word.is_word and word.low not in _LITTLE]
    typed = {word.text for word in words}
    found: dict[frozenset[str], PhraseRow] = {}
    for row in _phrase_rows():
        if row.exact and not row.exact & typed:
            continue
        said = max((phrase for phrase in row.asked if _stands(phrase, stems)), key=len, default=None)
        if said is not None:
            found[said] = row if said not in found else _joined(found[said], row)
    return list(found.items())


def _stands(phrase: frozenset[str], stems: Sequence[str]) -> bool:
    reach = len(phrase) + (1 if len(phrase) > _PAIR else 0)
    return phrase <= set(stems) and any(phrase <= set(stems[at : at + reach]) for at in range(len(stems)))


def _joined(one: PhraseRow, two: PhraseRow) -> PhraseRow:
    measured = one.measured and two.measured
    return PhraseRow(one.phrases + two.phrases, one.stems + two.stems, one.asked + two.asked, measured=measured)
