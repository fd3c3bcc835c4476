"""A quick look before a document is read closely: can it speak of what is asked about at all?"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import concepts, negated_names
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.cues import cue
from clinical.domain.quotes.indications import asks_indication, indicated_by
from clinical.domain.quotes.kin import kin_of, surfaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.passages import Passage
    from clinical.domain.quotes.focus import Focus
    from clinical.domain.quotes.question import Question

_HALF = 0.5
_SHORT = 60  # characters of a heading or a topic of its own
_GAP = re.compile(r"\n\s*\n")
_SPELLINGS = (("ae", "e"), ("oe", "e"), ("our", "or"), ("is", "iz"), ("ys", "yz"), ("sulph", "sulf"), ("ll", "l"))
_INK = re.compile(r"[^\n]")


def parts_to_read(asked: Question, parts: Sequence[Passage]) -> list[Passage]:
    """Return the passages of one document worth reading closely, in their order; none where it cannot answer.

    Each thing asked about must be somewhere in the document by one of its names, or by the noun it qualifies; without
    one, half of the plain words in one form or another. Read are the paragraphs that hold any of that (or what it is
    commonly given for, where its reason is asked), and the short ones of the passages beside them; all of them, where
    the title does or where nothing is named.
    """
    texts = [_read(f"{one.section}\n{one.text}") for one in parts]
    title = _read(parts[0].title)
    whole = ("\n".join((title[0], *(one[0] for one in texts))), "\n".join((title[1], *(one[1] for one in texts))))
    found = [_names(one) for one in asked.focus]
    if not all(_held(names, whole) for names in found):
        return []
    wanted = [_word_starts(one.text.lower(), one.key) for one in asked.reading.mentions if one.key in asked.words]
    said = sum(any(start in whole[0] for start in starts) for starts in wanted)
    if not asked.concepts and said < _HALF * len(wanted):
        return []
    tests = [*found, *map(_single, wanted)]
    if tests and asks_indication(asked):
        tests += [_single(_starts(reasons)) for one in asked.focus if (reasons := indicated_by(one.keys))]
    if not tests or any(_held(names, title) for names in tests):
        return list(parts)
    near = {at for at, text in enumerate(texts) if any(_held(names, text) for names in tests)}
    return [_blanked(one, tests) for at, one in enumerate(parts) if near & {at - 1, at, at + 1}]


def _blanked(passage: Passage, tests: Sequence[frozenset[frozenset[str]]]) -> Passage:
    """Return the passage with blanks for the paragraphs that hold nothing of what is asked about.

    Every place keeps its offset. Headings and other short lines stay: they say what the next paragraph is about.
    """
    pieces: list[str] = []
    at = 0
    for gap in (*_GAP.finditer(passage.text), None):
        paragraph = passage.text[at : gap.start() if gap else None]
        low = _read(paragraph)
        labelled = cue("impression").match(paragraph) is not None
        read = len(paragraph) <= _SHORT or labelled or any(_held(names, low) for names in tests)
        pieces += [paragraph if read else _INK.sub(" ", paragraph), gap.group() if gap else ""]
        at = gap.end() if gap else at
    return replace(passage, text="".join(pieces))


def _single(starts: frozenset[str]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset({start}) for start in starts)


def _names(focus: Focus) -> frozenset[frozenset[str]]:
    """Return the sets of word beginnings one of which a text that names this must hold."""
    starts = _starts(focus.keys) | {
        _start(key.removeprefix("w:").removeprefix("*")) for key in (*focus.head, *focus.kin)
    }
    starts |= {word for key in focus.kin for word in surfaces().get(key, ())}
    return _single(starts) | {frozenset(_start(word) for word in name) for name in focus.spelled}


def _held(names: Iterable[Iterable[str]], text: tuple[str, str]) -> bool:
    as_typed, alike = text
    return any(
        all(start in as_typed for start in name) or all(_respelt_start(start) in alike for start in name)
        for name in names
    )


def _read(text: str) -> tuple[str, str]:
    """Return a text in small letters, and with British and American spellings alike, as stems are ("raise": raiz)."""
    low = text.lower()
    return low, _respelt(low)


def _respelt(text: str) -> str:
    for spelt, other in _SPELLINGS:
        text = text.replace(spelt, other)
    return text


@lru_cache(maxsize=2000)
def _respelt_start(start: str) -> str:
    return _respelt(start)


@lru_cache(maxsize=500)
def _starts(group: frozenset[str]) -> frozenset[str]:
    """Return the stems of the first words of every name of these concepts and of what is a kind of them."""
    starts = {
        _start(word)
        for concept in concepts().values()
        if group & concept.wider or any(concept.id == key.removeprefix("urine-") for key in group)
        for name in concept.names
        for word in (tokens(name)[0].stem, tokens(name)[0].low)
    }
    return frozenset(starts | {word for word, key in negated_names().items() if key in group})


@lru_cache(maxsize=2000)
def _word_starts(text: str, key: str) -> frozenset[str]:
    concept = concepts().get(key)
    names = {tokens(name)[0].stem for name in concept.names} if concept else set()
    kin = frozenset().union(*(kin_of(word) for word in text.split()))
    return frozenset(_start(one)[:5] for one in (*kin, *names, *text.split(), *map(stem, text.split())))


def _start(word: str) -> str:
    # The last letter may change with the form of the word: allergy, allergies.
    return word[:-1] if len(word) > 4 else word
