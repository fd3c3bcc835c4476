"""What the document of a passage is about, and whether it, or a sentence of it, is of the time asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read
from clinical.domain.route.times import find_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source
    from clinical.domain.passages import Passage


@dataclass(frozen=True, slots=True)
class Document:
    """What the document of a passage is about: mentions of its title, keys of all its sentences."""

    title: tuple[Mention, ...]
    keys: frozenset[str]


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


def document_of(sources: Sequence[Source]) -> Document:
    """Return what the sentences of one document, read, name together."""
    keys = frozenset(key for source in sources for one in source.sentences for key in one.reading.keys)
    return Document(_title(sources[0].passage.title), keys)


@lru_cache(maxsize=1)
def _title(title: str) -> tuple[Mention, ...]:
    marked = frozenset({"heading"})
    return tuple(replace(one, segment=-1, attributes=marked) for one in read(title).mentions) if title else ()
