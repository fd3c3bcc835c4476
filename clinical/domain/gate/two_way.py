"""Two ways: each word of the sentence is borne by the clause it rests on, and what changes that clause is said too.

The rules before this one ask what is said of each thing the sentence names. This one sets the sentence beside the
clauses of the evidence that hold its words: a word of no clause withholds it, and so does a denial, a condition, a
plan, an end, a relative or a doubt that stands in such a clause and that the sentence does not answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.beside import Beside, Said, beside, borne_otherwise, chosen_of, content
from clinical.domain.gate.clause_cues import (
    answered,
    clause_ends,
    cue_at,
    now_words,
    relatives,
)
from clinical.domain.gate.one_statement import apart, how_often, part_of_day, together, value_of_another_clause
from clinical.domain.gate.softening import is_said_by
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import light_stems
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_REASONS: Final = {
    "negated": Reason.NEGATION_DIFFERS,
    "relative": Reason.SUBJECT_DIFFERS,
    "doubt": Reason.CERTAINTY_DIFFERS,
}
_BRACKETS: Final = frozenset({"(", ")"})
_JOINS: Final = frozenset({"and", "or"})
_CONDITIONS: Final = frozenset({"if", "unless", "should", "once"})
_AFTERTHOUGHTS: Final = frozenset({"negated", "over", "condition"})
_OWN_DENIALS: Final = frozenset({"no", "nil", "without", "denies", "denied"})  # they deny what follows them
_MANY: Final = 2
_BACK: Final = frozenset({"it", "this", "that", "these", "those", "they", "both", "which", "its"})
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_GOES_ON: Final = frozenset(stem(word) for word in ("continue", "begin", "start", "able", "manage", "used", "tend"))
_OPENING: Final = 2


def both_ways(claim: Reading, kept: Reading, window: Window) -> Reason | None:
    """Withhold a sentence with a word that no clause bears, or without a word that changes a clause it rests on.

    `kept` is the sentence without the general words that the rules before passed over.
    """
    if len(window.readings) > 1 and not _joined(claim, window):
        return Reason.NOT_BORNE_OUT
    said = content(claim)
    sides = [beside(said, reading) for reading in window.readings]
    if _says_more(claim, kept, window, said, sides):
        return Reason.NOT_BORNE_OUT
    told = answered(claim, window)
    found = (_differs(claim, said, side, told) for side in sides)
    differs = next((reason for reason in found if reason is not None), None)
    return differs or how_often(claim, window.readings) or value_of_another_clause(claim, sides)


def _says_more(claim: Reading, kept: Reading, window: Window, said: Sequence[Said], sides: Sequence[Beside]) -> bool:
    """Return whether the sentence has a word that the evidence does not bear."""
    checked = {at for one in kept.mentions for at in range(one.first, one.last)}
    theirs = frozenset().union(*(side.reading.cues for side in sides))
    named = any(word.low in relatives() for side in sides for word in side.reading.words)
    of_family = not named and any(cue.startswith("family") for cue in claim.cues & theirs)  # "FH of gout"
    for number, one in enumerate(said):
        borne = any(side.places[number] for side in sides) or borne_otherwise(one, window)
        if borne or one.at in checked or (of_family and one.word.low in relatives()):
            continue
        if not any(is_said_by(name, claim, window) for name in one.names):
            return True
    return False


def _differs(claim: Reading, said: Sequence[Said], side: Beside, told: frozenset[str]) -> Reason | None:
    """Return what the clauses of one sentence of evidence say otherwise."""
    chosen = chosen_of(side, [at for at, one in enumerate(said) if one.word.low not in relatives()])
    left_out = _said_of(side, chosen) - told
    if left_out:
        return next((_REASONS[one] for one in sorted(left_out) if one in _REASONS), Reason.TIME_DIFFERS)
    if said and chosen and _of_another(said[0], side, chosen):
        return Reason.SUBJECT_DIFFERS
    if _no_longer(claim, side, chosen) or (_to_be_done(said, side) and "plan" not in told):
        return Reason.TIME_DIFFERS
    return together(claim, side, chosen) or part_of_day(claim, side, chosen) or apart(claim, side, chosen)


def _of_another(first: Said, side: Beside, chosen: set[int]) -> bool:
    """Return whether the sentence is about a relative whom the clause it rests on does not name."""
    if first.word.low not in relatives() or not side.places[0]:
        return False
    words = side.reading.words
    if any(word.low == ":" for at in side.places[0] for word in words[at + 1 : at + 2]):
        return False  # "Mother: breast cancer at 52"
    return side.clauses(0).isdisjoint(chosen)


def _joined(claim: Reading, window: Window) -> bool:
    """Return whether two sentences may bear one: the second speaks of the first, or each gives a value."""
    listed = len(claim.figures) > 1 and all(one.clinical for one in claim.mentions)
    opening = {word.low for word in window.readings[1].words[:_OPENING]}
    return listed or bool(window.computed) or bool(opening & _BACK)


def _said_of(side: Beside, chosen: set[int]) -> set[str]:
    """Return what the chosen clauses say that would have to be answered, with the conditions and ends beside them."""
    words = side.reading.words
    reached = set(chosen)
    for number in sorted(set(side.clause) - chosen):
        own = [
            at
            for at, clause in enumerate(side.clause)
            if clause == number and words[at].is_word and words[at].low not in clause_ends()
        ]
        if not own:
            continue
        if words[own[0]].low in _CONDITIONS and number + 1 in chosen:
            reached.add(number)
        if _is_afterthought(side, own) and {number - 1, number - 2} & chosen:
            reached.add(number)
    return {
        name
        for at, clause in enumerate(side.clause)
        if clause in reached
        and (name := cue_at(words, at)) is not None
        and _reaches(name, side, at)
        and not _aside(side, at)
    }


def _is_afterthought(side: Beside, own: Sequence[int]) -> bool:
    """Return whether a clause only says that what stands before it is denied, over or on a condition."""
    words = side.reading.words
    opening = own[0]
    if words[opening].low in _OWN_DENIALS or cue_at(words, opening) not in _AFTERTHOUGHTS:
        return False
    if any(one.clinical and own[0] <= one.first <= own[-1] for one in side.reading.mentions):
        return False
    return sum(cue_at(words, at) is None and words[at].stem not in light_stems() for at in own[1:]) < _MANY


def _reaches(name: str, side: Beside, at: int) -> bool:
    """Return whether a change is told of what the sentence tells of: "increase lisinopril and order a lipid panel"."""
    if name != "change":
        return True
    words, marks = side.reading.words, clause_ends() | _JOINS
    start = next((place for place in range(at - 1, -1, -1) if words[place].low in marks), -1)
    end = next((place for place in range(at + 1, len(words)) if words[place].low in marks), len(words))
    return any(start < place < end for places in side.places for place in places)


def _aside(side: Beside, at: int) -> bool:
    """Return whether a word stands in brackets that hold nothing the sentence says: "7.2 (target 6-8)"."""
    words = side.reading.words
    opened = next((place for place in range(at, -1, -1) if words[place].low in _BRACKETS), None)
    if opened is None or words[opened].low == ")":
        return False
    closed = next((place for place in range(at, len(words)) if words[place].low == ")"), len(words))
    return not any(opened < place < closed for places in side.places for place in places)


def _to_be_done(said: Sequence[Said], side: Beside) -> bool:
    """Return whether the evidence has a deed of the sentence only as one to be done: "physio to mobilise"."""
    words = side.reading.words
    for number, one in enumerate(said):
        places = [at for at in side.places[number] if words[at].stem == one.word.stem]
        told = any(at < 1 or words[at - 1].low != "to" or words[at].low == one.word.low for at in places)
        if places and not told and not one.word.low.endswith("ing"):
            return not any(words[max(at - 2, 0)].stem in _GOES_ON for at in places)
    return False


def _no_longer(claim: Reading, side: Beside, chosen: set[int]) -> bool:
    """Return whether the sentence tells of now what the clause gives an earlier date: "sciatica in 2016"."""
    lows = {word.low for word in side.reading.words}
    told = {word.low for word in claim.words}
    if "today" in told and not lows & now_words():
        return True
    if claim.dates or not told & now_words():
        return False
    dated = any(side.clause[one.place] in chosen for one in side.reading.dates) or any(
        side.clause[at] in chosen and _YEAR.fullmatch(word.text) for at, word in enumerate(side.reading.words)
    )
    return dated and not lows & now_words()
