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
    """

    quantity: Quantity
    segment: int
    place: int
    heads: frozenset[str]
    wider: frozenset[str]
    role: str = ""
    attributes: frozenset[str] = frozenset()


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
        one for one in mentions if one.key.startswith("w:") and one.text.lower() not in TIME_WORDS
    ]
    places = [min(_token_at(one.start, words), len(words) - 1) for one in quantities]
    in_turn = any(word.low == "respectively" for word in words) and len(things) == len(quantities)
    figures = []
    for number, (quantity, place) in enumerate(zip(quantities, places, strict=True)):
        following = places[number + 1] if number + 1 < len(places) else len(words)
        before = words[place - 1].low if place else ""
        before = "to" if not before.isalpha() and number and quantity.start == quantities[number - 1].end else before
        heads = [things[number]] if in_turn else _heads(place, following, places[:number], things, segments)
        figures.append(
            Figure(
                quantity,
                segments[place],
                place,
                heads=frozenset(one.key for one in heads),
                wider=frozenset(key for one in heads for key in one.keys),
                role=before if before in {"from", "to"} else "",
                attributes=frozenset(given[place] & {"negated", "unclear", "uncertain", "past"}),
            )
        )
    return figures


def _heads(
    place: int,
    following_number: int,
    numbers_before: Sequence[int],
    things: Sequence[Mention],
    segments: Sequence[int],
) -> list[Mention]:
    """Return what a number may be a value of: the nearest mention before it, or the one after it."""
    here = segments[place]
    before = [one for one in things if one.last <= place]
    same = [one for one in before if one.segment == here]
    after = [one for one in things if one.first > place and one.segment == here and one.first < following_number]
    if same:
        found = [same[-1], *_companions(same[-1], before, numbers_before)]
        # "45% ejection fraction": what follows, unless a further number claims it.
        if after and following_number > after[0].last + 3:
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
