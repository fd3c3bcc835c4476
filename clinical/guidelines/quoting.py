"""The words of a guideline that bear on a question: verbatim lines and sentences, best section first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.reading import read
from clinical.domain.guideline import GuidelineSection
from clinical.domain.instructions import addresses_a_machine
from clinical.domain.lexicon.tables import Kind, concepts
from clinical.domain.lexicon.words import tokens
from clinical.domain.sentences import split
from clinical.guidelines.asking import bounds_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.criteria.edition import Edition
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.guidelines.asking import Bounds, Matter

MOST: Final = 6
_OWN, _HEADING, _TITLE, _BEFORE = 1.0, 0.8, 0.6, 0.5
_IN_WORDS: Final = 0.7  # a name whose words stand apart ("oxygen ... saturation")
ABOUT_IT: Final = 1.5  # for an edition whose very title names what is asked
_NUMBER_FITS: Final = 1.5
_WORD: Final = 0.7
_ENOUGH_WORDS: Final = 0.5
_FAR_BEHIND: Final = 0.75  # of the best line's score
_JOINT: Final = " > "  # between the headings of a path
_ROW: Final = re.compile(r"^\s*\|")
_TIMES: Final = frozenset({"min", "h", "d", "wk", "mo", "a", "s", "/d", "/wk"})
_RULE: Final = re.compile(r"^[\s|:+-]+$")
_MACHINE_TABLE: Final = re.compile(r"^\s*criteria(?:\s*:|\s+for\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unit:
    """One sentence or table row at [start, end) of the edition's text, read. The first number of a row is its level.

    `before` is what the sentence before it names; `opening` when it stands before the first sub-heading.
    """

    start: int
    end: int
    section: int
    mentions: tuple[Mention, ...]
    before: tuple[Mention, ...]
    stems: frozenset[str]
    bounds: tuple[Bounds, ...]
    is_row: bool
    opening: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading or title names, and its words."""

    mentions: tuple[Mention, ...]
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadEdition:
    """An edition cut into units; the headings of their sections, and the title."""

    units: tuple[Unit, ...]
    headings: tuple[Heading, ...]
    title: Heading


@dataclass(frozen=True, slots=True)
class Hit:
    """A unit that bears on the question; the greater `score`, the better. `own`: it names everything itself."""

    start: int
    end: int
    score: float
    own: bool


@lru_cache(maxsize=512)
def read_edition(edition: Edition, sections: tuple[GuidelineSection, ...]) -> ReadEdition:
    """Read an edition once; the table of criteria, which code reads elsewhere, is passed over."""
    parts = sections or (GuidelineSection("", 0, len(edition.text)),)
    kept = [one for one in parts if not _MACHINE_TABLE.match(one.heading.rpartition(_JOINT)[2])]
    units: list[Unit] = []
    for number, section in enumerate(kept):
        before: tuple[Mention, ...] = ()
        for start, end in _pieces(edition.text, section.start, section.end):
            text = edition.text[start:end]
            if text.lstrip().startswith("#") or addresses_a_machine(text):
                continue
            unit = read(text)
            is_row, opening = bool(_ROW.match(text)), len(parts) > 1 and _JOINT not in section.heading
            bounds = tuple(bounds_in(text))
            units.append(Unit(start, end, number, unit.mentions, before, _stems(unit), bounds, is_row, opening))
            before = () if is_row else unit.mentions
    headings = tuple(_heading(one.heading.replace(_JOINT, ", ")) for one in kept)
    return ReadEdition(tuple(units), headings, _heading(edition.title))


def _heading(words: str) -> Heading:
    reading = read(words)
    return Heading(reading.mentions, _stems(reading))


def _stems(reading: Reading) -> frozenset[str]:
    return frozenset(word.stem for word in reading.words if word.is_word)


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut into sentences; a table row is one piece, so that a level and what to do stay together; its head is none."""
    found: list[tuple[int, int]] = []
    block = start
    offset = start
    lines = text[start:end].split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _ROW.match(line):
            found += _sentences(text, block, offset)
            if not _RULE.match(line) and not (following.strip() and _RULE.match(following)):
                found.append((offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())))
            block = offset + len(line) + 1
        offset += len(line) + 1
    return found + _sentences(text, min(block, end), end)


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [(start + one.start, start + one.end) for one in split(text[start:end])]


def bearing_on(matter: Matter, held: ReadEdition) -> list[Hit]:
    """Return the units that bear on the matter, in reading order, at most MOST; empty when the edition does not.

    Every clinical thing asked about must be named by the unit, its heading or the title; without one, half of the
    plain words. A row for another number than the one asked about does not count.
    """
    fitting = {
        _fits(matter.bounds, unit) for unit in held.units if unit.is_row and _hit(matter, unit, held, any_number=True)
    }
    if False in fitting and True not in fitting:
        return []  # its table is of other levels than the one asked about
    hits = [hit for unit in held.units if (hit := _hit(matter, unit, held)) is not None]
    if not hits:
        return []
    best = max(one.score for one in hits)
    kept = sorted((one for one in hits if one.score >= best * _FAR_BEHIND), key=lambda one: (-one.score, one.start))[
        :MOST
    ]
    return sorted(_with_section(matter, held, kept), key=lambda one: one.start)


def _with_section(matter: Matter, held: ReadEdition, kept: list[Hit]) -> list[Hit]:
    """Add the rest of the best line's section where only heading or title named the matter: its list is the answer."""
    best = kept[0]
    if best.own or matter.bounds is not None or len(kept) >= MOST:
        return kept
    section = next(unit.section for unit in held.units if unit.start == best.start)
    taken = {one.start for one in kept}
    rest = [one for one in held.units if one.section == section and one.start not in taken and not one.opening]
    return [*kept, *(Hit(one.start, one.end, 0.0, own=False) for one in rest[: MOST - len(kept)])]


def is_about(matter: Matter, held: ReadEdition) -> bool:
    """Return whether the title itself names every clinical thing asked about."""
    return bool(matter.clinical) and all(
        any(_one_thing(wanted, one) for one in held.title.mentions) for wanted in matter.clinical
    )


def _hit(matter: Matter, unit: Unit, held: ReadEdition, *, any_number: bool = False) -> Hit | None:
    score = 0.0
    places = _places(unit, held)
    own, all_own = False, bool(matter.clinical)
    for wanted in matter.clinical:
        found = max((weight for weight, named in places if any(_one_thing(wanted, one) for one in named)), default=0.0)
        found = found or (_IN_WORDS if _spelt_apart(wanted, unit, held) else 0.0)
        if not found:
            return None
        own, all_own = own or found == _OWN, all_own and found == _OWN
        score += 2 * found
    met = [max((weight for weight, named in places if _said(one, named)), default=0.0) for one in matter.words]
    if not matter.clinical and (not met or sum(map(bool, met)) / len(met) < _ENOUGH_WORDS):
        return None
    if unit.opening and not own and _OWN not in met:
        return None  # the lines that say for whom the guideline is
    score += _WORD * sum(met)
    fits = _fits(matter.bounds, unit)
    if fits is False and not any_number:
        return None
    return Hit(unit.start, unit.end, score + (_NUMBER_FITS if fits else 0.0), all_own)


def _places(unit: Unit, held: ReadEdition) -> tuple[tuple[float, tuple[Mention, ...]], ...]:
    heading = held.headings[unit.section].mentions
    return ((_OWN, unit.mentions), (_HEADING, heading), (_TITLE, held.title.mentions), (_BEFORE, unit.before))


def _spelt_apart(wanted: Mention, unit: Unit, held: ReadEdition) -> bool:
    """Return whether the words of a name stand apart, one of them at least in the unit itself."""
    stems = {word.stem for word in tokens(wanted.text.lower()) if word.is_word}
    around = unit.stems | held.headings[unit.section].stems | held.title.stems
    return len(stems) > 1 and stems <= around and bool(stems & unit.stems)


def _fits(asked: Bounds | None, unit: Unit) -> bool | None:
    """Return whether a unit's numbers are the ones asked about; None where they cannot be compared."""
    if asked is None:
        return None
    comparable = [one for one in unit.bounds if one.unit == asked.unit or (not asked.unit and one.unit not in _TIMES)]
    comparable = comparable or [one for one in unit.bounds if not one.unit and asked.unit]
    if unit.is_row:
        comparable = comparable[:1]
    else:  # in prose a bare number is seldom a level: only "above", "or more" and the like, or the very unit
        comparable = [one for one in comparable if None in (one.low, one.high) or (asked.unit and one.unit)]
    return any(map(asked.meets, comparable)) if comparable else None


def _one_thing(wanted: Mention, held: Mention) -> bool:
    """Return whether two mentions name one thing: itself, a kind of it, its class, or a test and its disorder."""
    if wanted.key in held.keys or held.key in wanted.keys:
        return True
    return bool(_disorders(wanted.key) & held.keys or _disorders(held.key) & wanted.keys)


@lru_cache(maxsize=1000)
def _disorders(key: str) -> frozenset[str]:
    """Return the disorders whose name is made of a test's: potassium gives hyperkalemia and hypokalemia."""
    return frozenset(_OF_TEST.get(key, ())) if key in concepts() and concepts()[key].kind is Kind.TEST else frozenset()


_OF_TEST: Final = {
    "potassium": ("hyperkalemia", "hypokalemia"),
    "sodium": ("hyponatremia", "hypernatremia"),
    "glucose": ("hyperglycemia", "hypoglycemia"),
    "calcium": ("hypercalcemia", "hypocalcemia"),
    "hemoglobin": ("anemia",),
    "platelets": ("thrombocytopenia",),
}


def _said(wanted: Mention, held: Sequence[Mention]) -> bool:
    return any(wanted.keys & one.keys or wanted.key == one.key for one in held)
