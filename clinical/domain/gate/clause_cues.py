"""Words that change what a clause says, and how a sentence may answer them; read from `two_way.json`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.lexicon.tables import family_words, number_words, word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window
    from clinical.domain.lexicon.words import Token

_TIMES_A_DAY: Final = frozenset({"daily", "a", "weekly", "every", "nightly", "monthly", "only", "at"})
_PRESENT: Final = frozenset({"is", "are", "has", "uses", "takes", "remains", "currently", "now", "still", "present"})
_NO_CUE: Final = frozenset({("if", "needed"), ("due", "to"), ("due", "."), ("sent", "home")})
_AS: Final = frozenset({"as", "when", "if", "has", "had"})
_THAN: Final = frozenset({"with", "on", "when", "at", "than", "after", "in"})
_BROUGHT: Final = frozenset({"by", "with"})
_NOBODY: Final = frozenset({"family", "maternal", "paternal"})
# What the readers of the record found out of a word's place among others, and the cues that answers.
_ATTRIBUTES: Final = {
    "negated": ("negated",), "planned": ("plan",), "order": ("plan",), "uncertain": ("doubt",),
    "hypothetical": ("condition", "doubt", "plan"), "stopped": ("over", "negated"),
}  # fmt: skip


@cache
def _table() -> dict[str, Any]:
    text = files("clinical.domain.gate").joinpath("two_way.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def cues() -> dict[str, str]:
    """Return each word that changes its clause with the name of what it says of it."""
    return {word: name for name, words in _table()["cues"].items() for word in words.split()}


@cache
def _answers() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, words in _table()["answers"].items():
        for word in words.split():
            found.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in found.items()}


@cache
def clause_ends() -> frozenset[str]:
    """Return the marks and words that end a clause."""
    return frozenset(_table()["ends"].split())


@cache
def now_words() -> frozenset[str]:
    """Return the words that tell of the present."""
    return frozenset(_table()["now"].split())


@cache
def months() -> frozenset[str]:
    """Return the names of the months."""
    return frozenset(_table()["months"].split())


@cache
def deeds() -> frozenset[str]:
    """Return the stems of meetings and calls, which the evidence must tell of by their name."""
    return frozenset(stem(word) for word in _table()["deeds"].split())


@cache
def said_elsewhere() -> frozenset[str]:
    """Return words that other rules compare, or that say nothing beside what they stand with."""
    listed = frozenset(_table()["reports"].split()) | frozenset(_table()["compared_by_rule"].split()) | months()
    said = word_list("time_words") | clause_ends() | frozenset(number_words()) | listed
    return (said | frozenset(cues()) | frozenset(_answers())) - relatives() - frozenset(_table()["borne"].split())


@cache
def _tellers() -> frozenset[str]:
    return word_list("telling") | {"of", "rang", "phoned", "telephoned", "calling", "ringing"}


@cache
def relatives() -> frozenset[str]:
    """Return the words for a relative."""
    return frozenset(
        word for word, name in cues().items() if name == "relative" and word not in {"family", "maternal", "paternal"}
    )


def same_relative(one: str, two: str) -> bool:
    """Return whether two words may name the same relative: mother and mum may, husband and wife may not."""
    one, two = one.removesuffix("'s"), two.removesuffix("'s")
    unlike = {frozenset(pair.split()) for pair in _table()["unlike"]}
    who = family_words().get(one)
    return one == two or (who is not None and who == family_words().get(two) and frozenset({one, two}) not in unlike)


def cue_at(words: Sequence[Token], at: int) -> str | None:
    """Return what a word says of its clause; "once daily" and "as needed" say nothing."""
    low = words[at].low
    name = cues().get(low)
    if name is None:
        return None
    following = words[at + 1].low if at + 1 < len(words) else ""
    before = words[at - 1].low if at else ""
    if (low, following) in _NO_CUE or (before, low) == ("to", "exclude"):
        return None
    if low == "once" and (following in _TIMES_A_DAY or following[:1].isdigit() or before in {"at", "than"}):
        return None
    if low == "better" and following in _THAN:
        return None
    if low == "needed" and (before in _AS or following[:1].isalnum()):
        return None
    if name == "relative" and (following in _tellers() or (at > 1 and words[at - 2].low in _BROUGHT)):
        return None  # who brought or told
    return name


def answered(claim: Reading, window: Window) -> frozenset[str]:
    """Return what the sentence itself says, or answers, of what a clause of its evidence may say."""
    found = {name for at in range(len(claim.words)) if (name := cue_at(claim.words, at))}
    for word in claim.words:
        found |= _answers().get(word.low, frozenset())
    for attribute in claim.cues:
        found.update(_ATTRIBUTES.get(attribute, ("relative",) if attribute.startswith("family") else ()))
    if any(_denies_a_word(word, window) for word in claim.words):
        found.add("negated")
    if "past" in claim.tenses or not {word.low for word in claim.words} & _PRESENT:
        found.add("past")
    return frozenset(found)


def _denies_a_word(word: Token, window: Window) -> bool:
    """Return whether a word denies one of the evidence: "isn't", "unresurfaced" beside "not resurfaced"."""
    return word.low.endswith("n't") or (
        word.low.startswith(("un", "non")) and bool({word.stem[2:], word.stem[3:]} & window.stems)
    )
