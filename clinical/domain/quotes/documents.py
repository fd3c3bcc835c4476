"""What the document of a passage is about, and whether it, or a sentence of it, is of the time asked about."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read
from clinical.domain.gate.source import read_passage
from clinical.domain.instructions import addresses_a_machine
from clinical.domain.route.times import find_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source
    from clinical.domain.passages import Passage

_WIDEST_GAP = 4  # characters of white space between two passages of one document
_BEGINS_A_LINE = re.compile(r"[-*\u2022#\d]|[A-Z][\w/& ]{0,40}:|[A-Z][^.\n]{0,60}\n")


@dataclass(frozen=True, slots=True)
class Document:
    """What the document of a passage is about: mentions of its title, keys and stems of all its sentences."""

    title: tuple[Mention, ...]
    keys: frozenset[str]
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days [start, end) as ISO dates; "" is open."""

    start: str = ""
    end: str = ""

    def hold(self, day: str) -> bool:
        """Return whether a FHIR date, however partial ("2024"), may lie within; an unknown one may."""
        latest = day[:10] + "-99-99"[len(day[:10]) - 4 :] if len(day) >= len("2024") else ""
        return not day or ((not self.start or latest >= self.start) and (not self.end or day[:10] < self.end))


def days_asked(question: str, today: date) -> Days | None:
    """Return the days a question names ("in May 2023", "last two years"), None where it names none."""
    window, _ = find_window(question.lower())
    if window is None:
        return None
    start, end = window.bounds(today)
    return Days(start.date().isoformat() if start else "", end.date().isoformat() if end else "")


def tells_of(days: Days, reading: Reading) -> bool:
    """Return whether a sentence itself names a day within."""
    named = [place.date for place in reading.dates if place.date.year]
    return any(days.hold("-".join(f"{part:02d}" for part in (one.year, one.month, one.day) if part)) for one in named)


def documents_of(passages: Iterable[Passage]) -> list[list[Passage]]:
    """Return the passages by document, in the order given."""
    found: dict[tuple[str, str, str], list[Passage]] = {}
    for passage in passages:
        found.setdefault((passage.span.resource, passage.span.version, passage.span.part), []).append(passage)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Run:
    """Passages that follow each other in one document, read as one text.

    Sentences that address a machine are left out. `seams` are the offsets in that text at which a passage begins or
    ends: no quote crosses them, because the white space between two passages is not known.
    """

    source: Source
    seams: tuple[int, ...]

    def whole(self, start: int, end: int) -> bool:
        """Return whether [start, end) lies within one passage."""
        return not any(start < seam < end for seam in self.seams)


def runs_of(parts: Sequence[Passage]) -> list[Run]:
    """Return the passages of one document in their order, those that follow each other closely as one."""
    runs: list[Run] = []
    held: list[Passage] = []
    for part in sorted(parts, key=lambda one: one.span.start):
        if held and not 0 <= part.span.start - held[-1].span.end <= _WIDEST_GAP:
            runs.append(_run(held))
            held = []
        held.append(part)
    return [*runs, _run(held)] if held else runs


def _run(parts: Sequence[Passage]) -> Run:
    first = parts[0]
    text, seams = first.text, []
    for before, part in pairwise(parts):
        gap = part.span.start - before.span.end
        between = " " if gap == 1 and not _BEGINS_A_LINE.match(part.text) else "\n" * gap
        seams += [len(text), len(text) + gap]
        text += between + part.text
    span = replace(first.span, end=first.span.start + len(text))
    source = read_passage(replace(first, span=span, text=text))
    clean = tuple(one for one in source.sentences if not addresses_a_machine(one.reading.text))
    return Run(replace(source, sentences=clean), tuple(seams))


def document_of(sources: Sequence[Source]) -> Document:
    """Return what the sentences of one document, read, name together."""
    readings = [one.reading for source in sources for one in source.sentences]
    keys = frozenset(key for one in readings for key in one.keys)
    stems = frozenset(word.stem for one in readings for word in one.words)
    return Document(_title(sources[0].passage.title), keys, stems)


@lru_cache(maxsize=1)
def _title(title: str) -> tuple[Mention, ...]:
    marked = frozenset({"heading"})
    return tuple(replace(one, segment=-1, attributes=marked) for one in read(title).mentions) if title else ()
