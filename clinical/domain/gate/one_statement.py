"""One statement: what a sentence puts together stands together in the evidence, not in two clauses of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.beside import numbered
from clinical.domain.gate.clause_cues import clause_ends, months
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.beside import Beside
    from clinical.domain.gate.reading import Reading

_JOINERS: Final = frozenset({",", ";", "and", "but", "while", "then", "although", "though", "whereas", "after", ":"})
_JOINS: Final = frozenset({"and", "or", "(", ")"})
_RIVALS: Final = frozenset({Kind.DRUG, Kind.TEST, Kind.VITAL})
_SIDES: Final = frozenset({"left", "right"})
_STATES: Final = frozenset({"normal", "abnormal", "intact", "clear", "negative", "positive", "unremarkable", "nil"})
_DAY_PARTS: Final = frozenset({"morning", "afternoon", "evening", "night", "yesterday", "overnight", "midday", "noon"})
_UNITS: Final = {"daily": "day", "nightly": "night", "weekly": "week", "monthly": "month", "yearly": "year"}
_HOW_OFTEN: Final = re.compile(
    r"\b(?P<many>once|twice|thrice|[a-z]+ times|\d+ times|\d+ ?x)(?: (?:a|an|per|each|every))? ?/?"
    r"(?P<unit>daily|nightly|weekly|monthly|yearly|day|night|week|month|year|hour)\b",
    re.IGNORECASE,
)


def together(claim: Reading, side: Beside, chosen: set[int]) -> Reason | None:
    """Withhold a sentence that mixes two clauses, each about a thing of its own; `chosen` are those it rests on."""
    held = [side.clauses(at) for at in range(len(side.places))]
    if len(chosen) < 2 or any(word.low in _JOINERS for word in claim.words):
        return None
    only = [next(iter(one & chosen)) for one in held if len(one & chosen) == 1]
    shared = [one & chosen for one in held if len(one & chosen) > 1]
    if any(len({clause for clause in only if clause in one}) > 1 for one in shared):
        return Reason.VALUE_OF_ANOTHER  # "two polyps left, one polyp removed": each clause has a polyp of its own
    if _stated_otherwise(claim, side) or _of_a_rival(side, held, chosen):
        return Reason.VALUE_OF_ANOTHER
    return None


def _stated_otherwise(claim: Reading, side: Beside) -> bool:
    """Return whether a thing named is said to be normal or not, unlike the sentence: "fracture, ulna normal"."""
    words, stems = side.reading.words, {word.stem for word in claim.words}
    for at in frozenset().union(*(places for places in side.places if len(places) == 1)):
        near = [place for place in range(at + 1, min(at + 3, len(words))) if side.clause[place] == side.clause[at]]
        if words[at - 1].low not in _SIDES and any(
            words[place].low in _STATES and words[place].stem not in stems for place in near
        ):
            return True
    return False


def _of_a_rival(side: Beside, held: Sequence[frozenset[int]], chosen: set[int]) -> bool:
    """Return whether what is said of one drug or test is told of another: "ibuprofen at triage, codeine at home"."""
    mine = frozenset().union(*side.places)
    things = [one for one in side.reading.mentions if one.kind in _RIVALS]
    named = [one for one in things if not mine.isdisjoint(range(one.first, one.last))]
    others = [one for one in things if one not in named and side.clause[one.first] in chosen]
    return any(
        one.kind is two.kind
        and side.clause[one.first] != side.clause[two.first]
        and any(
            clauses == {side.clause[two.first]} and min(places) >= two.last
            for clauses, places in zip(held, side.places, strict=True)
        )
        for one in named
        for two in others
    )


def apart(claim: Reading, side: Beside, chosen: set[int]) -> Reason | None:
    """Withhold a sentence without a joint that rests on clauses parted by a semicolon."""
    words, clause = side.reading.words, side.clause
    if any(word.low in _JOINERS for word in claim.words):
        return None
    heading = next((clause[at] for at, word in enumerate(words) if word.low == ":"), 0)
    stops = [clause[at] for at, word in enumerate(words) if word.low == ";"]
    part = [sum(stop <= number for stop in stops) for number in range(clause[-1] + 1)] if words else []
    parts = {part[number] for number in chosen if number >= heading}
    if len(parts) > 1:
        return Reason.NOT_BORNE_OUT
    for word in claim.words:
        there = {clause[at] for at, one in enumerate(words) if one.low == word.low and clause[at] >= heading}
        if there and parts and word.low in months() and {part[number] for number in there}.isdisjoint(parts):
            return Reason.NOT_BORNE_OUT
    return None


def part_of_day(claim: Reading, side: Beside, chosen: set[int]) -> Reason | None:
    """Withhold what is said of the night for the morning: "confused last night, oriented this morning"."""
    words, clause = side.reading.words, side.clause
    for part in {word.low for word in claim.words} & _DAY_PARTS:
        places = {clause[at] for at, word in enumerate(words) if word.low == part}
        other = any(word.low in _DAY_PARTS - {part} and clause[at] in chosen for at, word in enumerate(words))
        if places and places.isdisjoint(chosen) and other:
            return Reason.TIME_DIFFERS
    return None


def how_often(claim: Reading, readings: Sequence[Reading]) -> Reason | None:
    """Withhold "four times a day" for "four times a week", whatever else is taken daily."""
    mine = _often(claim.text)
    theirs = frozenset().union(*(_often(reading.text) for reading in readings))
    for many, unit in mine:
        units = {other for count, other in theirs if count == many}
        if units and unit not in units:
            return Reason.UNIT_DIFFERS
    return None


def _often(text: str) -> frozenset[tuple[str, str]]:
    found = set()
    for match in _HOW_OFTEN.finditer(text.lower()):
        unit = match["unit"]
        found.add((match["many"].replace(" ", ""), _UNITS.get(unit, unit)))
    return frozenset(found)


def value_of_another_clause(claim: Reading, sides: Sequence[Beside]) -> Reason | None:
    """A value stands in the clause of what it is said of, not beside another thing with a value of its own."""
    pair = {one.role for one in claim.figures} & {"from", "to"}
    for figure in claim.figures:
        verdicts = [
            (one.role == "from" and not pair and "past" not in claim.tenses) or _elsewhere(claim, side, one.place)
            for side in sides
            for one in side.reading.figures
            if one.quantity.value == figure.quantity.value
        ]
        if verdicts and all(verdicts):
            return Reason.VALUE_OF_ANOTHER
    return None


def _elsewhere(claim: Reading, side: Beside, place: int) -> bool:
    """Return whether a word of the sentence stands only in a clause with another value, and a rival beside this one."""
    reading = side.reading
    clause = numbered(reading.words, clause_ends() | _JOINS)
    values = {one.quantity.value for one in claim.figures}
    others = {clause[one.place] for one in reading.figures if one.quantity.value not in values} - {clause[place]}
    held = [{clause[at] for at in places} for places in side.places]
    if not any(one and clause[place] not in one and one <= others for one in held):
        return False
    mine = frozenset().union(*side.places)
    stems = {word.stem for word in claim.words}
    rival = any(
        clause[one.first] == clause[place]
        and one.first < place
        and mine.isdisjoint(range(one.first, one.last))
        and reading.words[one.first].stem not in stems
        and one.text.lower() not in word_list("time_words")
        for one in reading.mentions
    )
    alone = sum(number == clause[place] and reading.words[at].is_word for at, number in enumerate(clause)) == 1
    return rival or alone
