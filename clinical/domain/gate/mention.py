"""What a sentence mentions: things, values of things, and dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import CLINICAL, Kind, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.dates import WrittenDate
    from clinical.domain.lexicon.words import Token
    from clinical.domain.quantity import Quantity


TIME_WORDS = frozenset(form for word in word_list("time_words") for form in (word, word + "s"))


TIMES = frozenset({"a", "mo", "wk", "d", "h", "min", "s"})
_QUALITIES = frozenset(f"word:{name}" for name in word_list("qualities")) | {
    "word:left", "word:right", "word:bilateral",
}  # fmt: skip
_NEVER_A_DOSE = frozenset(
    {"mm[Hg]", "/min", "Cel", "[degF]", "cm", "mm", "m", "[in_i]", "[ft_i]", "[lb_av]", "kg/m2", "fL"}
)
_BY_UNIT = {
    "Cel": frozenset({"temperature"}), "[degF]": frozenset({"temperature"}), "kg": frozenset({"weight"}),
    "kg/m2": frozenset({"bmi"}),
}  # fmt: skip
_LEAST_FEVER, _MOST_FEVER = 37, 43  # degrees Celsius
_LEAST_SYSTOLIC = 60
_COUNTED_WITHIN = 3
_NO_COUNT = word_list("not_counted")


@dataclass(frozen=True, slots=True)
class Mention:
    """Something a sentence speaks of. `keys` are its concept and the wider ones; tokens are [first, last)."""

    key: str
    keys: frozenset[str]
    kind: Kind
    first: int
    last: int
    segment: int
    attributes: frozenset[str]
    text: str

    @property
    def clinical(self) -> bool:
        """Whether this is a drug, test, vital sign, vaccine or condition."""
        return self.kind in CLINICAL


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity and the segment it stands in.

    `heads` are the concepts it may be a value of (empty: unknown), `wider` the same with what they are kinds of.
    `counted` are the things a bare number counts ("three cycles").
    """

    quantity: Quantity
    segment: int
    place: int
    heads: frozenset[str]
    wider: frozenset[str]
    role: str = ""
    attributes: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DatePlace:
    """A date, the segment it stands in and its first token."""

    date: WrittenDate
    segment: int
    place: int


def _token_at(place: int, words: Sequence[Token]) -> int:
    return next((at for at, word in enumerate(words) if word.end > place), len(words))


def figures_of(
    quantities: Sequence[Quantity],
    words: Sequence[Token],
    mentions: Sequence[Mention],
    segments: Sequence[int],
    given: Sequence[set[str]],
) -> list[Figure]:
    """Return each quantity with what it may be a value of."""
    things = [one for one in mentions if one.clinical] or [
        one for one in mentions if one.key not in _QUALITIES and one.text.lower() not in TIME_WORDS
    ]
    places = [min(_token_at(one.start, words), len(words) - 1) for one in quantities]
    in_turn = any(word.low == "respectively" for word in words) and len(things) == len(quantities)
    figures = []
    for number, (quantity, place) in enumerate(zip(quantities, places, strict=True)):
        following = places[number + 1] if number + 1 < len(places) else len(words)
        before = words[place - 1].low if place else ""
        before = "to" if not before.isalpha() and number and quantity.start == quantities[number - 1].end else before
        fitting = [one for one in things if _may_measure(quantity, one)] or things
        heads = [things[number]] if in_turn else _heads(place, following, places[:number], fitting, segments, words)
        if quantity.unit == "a" and _is_age(words, place):
            heads = []  # the age of the person, whatever else the clause names
        figures.append(
            Figure(
                quantity,
                segments[place],
                place,
                heads=frozenset(one.key for one in heads),
                wider=frozenset(key for one in heads for key in one.keys) | _implied(quantity, heads),
                role=before if before in {"from", "to"} else "",
                attributes=frozenset(given[place] & {"negated", "unclear", "uncertain", "past"}),
                counted=_counted(quantity, words, mentions),
            )
        )
    return figures


def _implied(quantity: Quantity, heads: Sequence[Mention]) -> frozenset[str]:
    """Return what a value must be of, by its unit alone, or beside a fever."""
    if not quantity.unit and _LEAST_FEVER <= quantity.value <= _MOST_FEVER and any(one.key == "fever" for one in heads):
        return frozenset({"temperature"})
    if quantity.pair and (quantity.unit == "mm[Hg]" or (not quantity.unit and quantity.value >= _LEAST_SYSTOLIC)):
        return frozenset({"blood-pressure"})
    return _BY_UNIT.get(quantity.unit, frozenset())


def _may_measure(quantity: Quantity, thing: Mention) -> bool:
    """Return whether this may be a value of that: no medicine is given in mmHg."""
    return thing.kind is not Kind.DRUG or quantity.unit not in _NEVER_A_DOSE


def _is_age(words: Sequence[Token], place: int) -> bool:
    near = {word.low for word in words[place : place + 6]}
    before = words[place - 1].low if place else ""
    return bool(near & {"old", "yo", "y"}) or before == "aged"


def _counted(quantity: Quantity, words: Sequence[Token], mentions: Sequence[Mention]) -> frozenset[str]:
    """Return the keys of what directly follows a number without a unit: "four glasses"."""
    if quantity.unit or quantity.pair:
        return frozenset()
    at = _token_at(quantity.end, words)
    found: set[str] = set()
    for place in range(at, min(at + _COUNTED_WITHIN, len(words))):
        word = words[place]
        if not word.is_word or word.low in _NO_COUNT:
            break
        found |= {key for one in mentions if one.first <= place < one.last for key in one.keys}
    return frozenset(found)


def _heads(
    place: int,
    following_number: int,
    numbers_before: Sequence[int],
    things: Sequence[Mention],
    segments: Sequence[int],
    words: Sequence[Token],
) -> list[Mention]:
    """Return what a number may be a value of: the nearest mention before it, or the one after it."""
    here = segments[place]
    before = [one for one in things if one.last <= place]
    same = [one for one in before if one.segment == here]
    after = [one for one in things if one.first > place and one.segment == here and one.first < following_number]
    if same:
        found = [same[-1], *_companions(same[-1], before, numbers_before)]
        # "45% ejection fraction": what follows, unless a further number claims it.
        described = place > 0 and words[place - 1].low in {"a", "an", "the", "this", "one", "single"}
        if after and (described or following_number > after[0].last + 3):
            found.append(after[0])
        return found
    if after:
        return after[:1]
    return [before[-1], *_companions(before[-1], before, numbers_before)] if before else []


def _companions(head: Mention, before: Sequence[Mention], numbers_before: Sequence[int]) -> list[Mention]:
    """Return the symptoms listed with this one, which share its number: fever and cough for 3 days."""
    if head.kind is Kind.DRUG:  # "salbutamol inhaler 2 puffs"
        return [one for one in before if one.kind is Kind.DRUG and one.last == head.first]
    if head.kind is not Kind.CONDITION:
        return []
    barrier = numbers_before[-1] if numbers_before else -1
    return [one for one in before if one.first > barrier and one.kind is Kind.CONDITION]
