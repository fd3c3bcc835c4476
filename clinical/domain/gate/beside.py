"""A sentence of the draft beside one of the evidence: which words say something, and which clauses bear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.clause_cues import clause_ends, deeds, relatives, said_elsewhere, same_relative
from clinical.domain.gate.wordings import wordings
from clinical.domain.lexicon.tables import light_stems, unit_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window
    from clinical.domain.lexicon.words import Token

_STANDS_FOR: Final = frozenset({"who", "which", "whose", "it"})
_IN_DATE: Final = 3


@dataclass(frozen=True, slots=True)
class Said:
    """A word of the sentence that says something, its place, and what it names."""

    word: Token
    at: int
    names: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """A sentence of evidence: the clause of each token, and for each word said the tokens that bear it."""

    reading: Reading
    clause: tuple[int, ...]
    places: tuple[frozenset[int], ...]

    def clauses(self, number: int) -> frozenset[int]:
        """Return the clauses that hold a word said."""
        return frozenset(self.clause[at] for at in self.places[number])


def content(claim: Reading) -> list[Said]:
    """Return the words that say something; numbers, their units and dates are compared by other rules."""
    named: dict[int, list[Mention]] = {}
    for one in claim.mentions:
        for at in range(one.first, one.last):
            named.setdefault(at, []).append(one)
    dated = {at for date in claim.dates for at in range(date.place, date.place + _IN_DATE)}
    found = []
    for at, word in enumerate(claim.words):
        if not word.low.isalpha() or word.low in said_elsewhere() or at in dated:
            continue
        if word.stem in light_stems() and word.stem not in deeds():
            continue
        if word.low in unit_names() and at and claim.words[at - 1].low[:1].isdigit():
            continue
        found.append(Said(word, at, tuple(named.get(at, ()))))
    return found


def beside(said: Sequence[Said], reading: Reading) -> Beside:
    """Return a sentence of evidence with what bears the words said."""
    return Beside(reading, numbered(reading.words, clause_ends()), tuple(_borne_by(one, reading) for one in said))


def numbered(words: Sequence[Token], ends: frozenset[str]) -> tuple[int, ...]:
    """Return the number of the clause of each token; what "who", "which" or "it" tells of stands before the comma."""
    number, found, inside = 0, [], False
    for at, word in enumerate(words):
        inside = word.low == "(" or (inside and word.low != ")")
        following = words[at + 1].low if at + 1 < len(words) else ""
        number += (
            word.low in ends
            and not (word.low in {",", ";"} and following in _STANDS_FOR)
            and (not inside or word.low == "(" or "(" in ends)
        )
        found.append(number)
    return tuple(found)


def _borne_by(one: Said, reading: Reading) -> frozenset[int]:
    """Return the tokens that say what a word says; its very word, where the evidence has it, and no other."""
    same = {at for at, word in enumerate(reading.words) if word.stem == one.word.stem}
    if same:
        return frozenset(same)
    if one.word.low in relatives():
        return frozenset(at for at, word in enumerate(reading.words) if same_relative(one.word.low, word.low))
    alike = wordings().get(one.word.stem, frozenset())
    places = {at for at, word in enumerate(reading.words) if word.stem in alike}
    for mine in one.names:
        for theirs in reading.mentions:
            if same_thing(mine, theirs):
                places.update(range(theirs.first, theirs.last))
    return frozenset(places)


def borne_otherwise(one: Said, window: Window) -> bool:
    """Return whether a heading, or the whole sentence of a part, bears a word."""
    if one.word.stem in window.stems or not wordings().get(one.word.stem, frozenset()).isdisjoint(window.stems):
        return True
    return any(same_thing(mine, theirs) for mine in one.names for theirs in window.mentions)


def chosen_of(side: Beside, numbers: Sequence[int]) -> set[int]:
    """Return the fewest clauses, the fullest first, that hold the words this sentence of evidence holds."""
    left = [side.clauses(number) for number in numbers if side.places[number]]
    chosen: set[int] = set()
    while left:
        best = max(frozenset().union(*left), key=lambda clause: (sum(clause in one for one in left), -clause))
        chosen.add(best)
        left = [one for one in left if best not in one]
    return chosen
