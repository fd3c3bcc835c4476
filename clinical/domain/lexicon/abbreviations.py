"""Abbreviations that clinicians type and write, with everything each may stand for: none is chosen silently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from clinical.domain.lexicon.tables import table
from clinical.domain.provenance import Provenance, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WORDINGS = 3


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One abbreviation in its spellings, and its meanings, each with its wordings.

    `narrower`: what it covers, looked for where it is asked about, and not the reverse. `exact`: it counts only in the
    case it is listed in, for in small letters it is an ordinary word or a title. `written_out`: the first wording is
    put in its place before a question is read. `measured`: it is a test or a sign with a value.
    """

    short: tuple[str, ...]
    meanings: tuple[tuple[str, ...], ...]
    narrower: tuple[str, ...]
    exact: bool
    written_out: bool
    measured: bool
    provenance: Provenance

    @property
    def ambiguous(self) -> bool:
        """Whether it has more than one meaning."""
        return len(self.meanings) > 1

    @property
    def wordings(self) -> tuple[str, ...]:
        """Every wording of every meaning."""
        return tuple(wording for meaning in self.meanings for wording in meaning)


@cache
def abbreviations() -> tuple[Abbreviation, ...]:
    """Return every row of the table with where it comes from."""
    loaded = table("abbreviations")
    own = Provenance(loaded["source"], "", SourceStatus(loaded["status"]))
    sources = {key: _provenance(one) for key, one in loaded["sources"].items()}
    return tuple(
        Abbreviation(
            short=tuple(row["short"]),
            meanings=tuple(map(tuple, row["means"])),
            narrower=tuple(row.get("narrower", ())),
            exact=row.get("exact", False),
            written_out=row.get("written_out", False),
            measured=row.get("measured", False),
            provenance=sources[row["source"]] if "source" in row else own,
        )
        for row in loaded["rows"]
    )


def _provenance(row: dict[str, Any]) -> Provenance:
    return Provenance(row["source"], row["edition"], SourceStatus(row["status"]))


def in_words(question: str) -> str:
    """Return a question as typed with those abbreviations written out that stand for plain words ("PMH", "wt gain")."""
    for pattern, meant in _written_out():
        question = pattern.sub(_put(meant), question)
    return question


def _put(meant: dict[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda match: meant[match.group().lower()]


def spelled_out(question: str) -> str:
    """Return a question with what its abbreviations may mean behind it, for a search by likeness."""
    told = [
        one.wordings if not one.ambiguous else tuple(meaning[0] for meaning in one.meanings)
        for one in abbreviations()
        if not one.written_out and stands(one, question)
    ]
    return " ".join((in_words(question), *(wording for one in told for wording in one[:_MOST_WORDINGS])))


def undecided(question: str) -> str:
    """Return a question with its ambiguous abbreviations in small letters, so that no reader of capitals decides them.

    Those that count only in their own case stay as typed.
    """
    return _ambiguous().sub(lambda match: match.group().lower(), question)


def meanings_of(question: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the ambiguous abbreviations of a question as typed, each with the first wording of its meanings."""
    found = {
        match.group(): tuple(meaning[0] for meaning in one.meanings)
        for one in abbreviations()
        if one.ambiguous
        for match in _standing(one).finditer(question)
    }
    return tuple(found.items())


def abbreviated(question: str) -> tuple[tuple[Abbreviation, str], ...]:
    """Return the question with what it asks about in an ambiguous abbreviation's short form, for each that has one."""
    return tuple(
        (one, said.sub(one.short[0], question)) for one, said in _ambiguous_wordings() if said.search(question)
    )


def put_in(one: Abbreviation, question: str, words: str) -> str:
    """Return a question as typed with these words in the place of an abbreviation."""
    return _standing(one).sub(lambda _match: words, question)


def stands(one: Abbreviation, text: str) -> bool:
    """Return whether a text as typed holds an abbreviation."""
    return _standing(one).search(text) is not None


def only_looks_alike(question: str, sentence: str) -> bool:
    """Return whether a sentence holds an abbreviation of a question as an ordinary word alone: TOE, and a toe."""
    return any(
        one.exact
        and stands(one, question)
        and not stands(one, sentence)
        and _any_of(one.short, re.IGNORECASE).search(sentence) is not None
        for one in abbreviations()
    )


@cache
def _standing(one: Abbreviation) -> re.Pattern[str]:
    return _any_of(one.short, re.NOFLAG if one.exact else re.IGNORECASE)


def _any_of(short: tuple[str, ...], flags: re.RegexFlag) -> re.Pattern[str]:
    longest_first = sorted(short, key=len, reverse=True)
    return re.compile(r"(?<![\w/&'-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w/&'])", flags)


@cache
def _written_out() -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    rows = [one for one in abbreviations() if one.written_out]
    meant = {short.lower(): one.wordings[0] for one in rows for short in one.short}
    return tuple(
        (_any_of(tuple(short for one in group for short in one.short), flags), meant)
        for flags, group in (
            (re.NOFLAG, [one for one in rows if one.exact]),
            (re.IGNORECASE, [one for one in rows if not one.exact]),
        )
    )


@cache
def _ambiguous() -> re.Pattern[str]:
    rows = [one for one in abbreviations() if one.ambiguous and not one.exact]
    return _any_of(tuple(short for one in rows for short in one.short), re.IGNORECASE)


@cache
def _ambiguous_wordings() -> tuple[tuple[Abbreviation, re.Pattern[str]], ...]:
    return tuple((one, _any_of(one.wordings, re.IGNORECASE)) for one in abbreviations() if one.ambiguous)
