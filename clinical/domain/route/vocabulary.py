"""The words a question may name things by: those of the patient's own record, and the synonym tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts import tables
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.naming import analyte, drug_words, plain
from clinical.domain.projection.rows import (
    IN_ERROR,
    AllergyRow,
    ConditionRow,
    ImmunizationRow,
    MedicationRow,
    ObservationRow,
    PatientRow,
    ProcedureRow,
)
from clinical.domain.route.table import common_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.rows import TypedRow

MEASURE, DRUG, PROBLEM, VACCINE, PROCEDURE, ALLERGEN = (
    "measure",
    "drug",
    "problem",
    "vaccine",
    "procedure",
    "allergen",
)
LONGEST: Final = 8  # words of a name that are looked for
_WORD_ENOUGH: Final = 5
_BRIEF: Final = 2
_SHORT: Final = 3
_TAG: Final = re.compile(r"\s*\((?:disorder|finding|procedure|situation|substance|product|qualifier value)\)\s*$")
Targets = dict[str, str]  # kind -> what it is known by: a measurement's concept, else the comparable name


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Comparable names and what each may mean, by kind. Build it with `vocabulary_of`."""

    names: Mapping[str, Targets] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    own_name: frozenset[str] = frozenset()

    def find(self, name: str) -> Targets:
        """Return what a comparable name means, singular or plural; empty when unknown."""
        for form in (name, name.removesuffix("'s"), name.removesuffix("s"), f"{name}s"):
            if form in self.names:
                return self.names[form]
        return {}


@cache
def _tables() -> dict[str, Targets]:
    names: dict[str, Targets] = {}
    for term, concept in tables.by_term().items():
        names.setdefault(term, {})[MEASURE] = concept
    for kind, terms in (
        (DRUG, (*tables.drugs(), *tables.drug_classes())),
        (PROBLEM, tables.problems()),
        (VACCINE, tables.vaccines()),
    ):
        for item in terms:
            for term in item.terms:
                names.setdefault(term, {}).setdefault(kind, term)
    return names


def vocabulary_of(facts: Sequence[Fact]) -> Vocabulary:
    """Return the vocabulary of one patient's facts, the synonym tables included."""
    names = {name: dict(targets) for name, targets in _tables().items()}
    for fact in facts:
        if fact.row.status != IN_ERROR:
            for name, kind, target in _own_names(fact.row):
                if name:
                    names.setdefault(name, {}).setdefault(kind, target)
    words = frozenset(word for name in names for word in name.split())
    own_name = frozenset(
        word
        for fact in facts
        if isinstance(fact.row, PatientRow)
        for name in fact.row.names
        for word in plain(name).replace("-", " ").split()
    )
    return Vocabulary(names, words, own_name)


def _own_names(row: TypedRow) -> Iterable[tuple[str, str, str]]:
    common = common_words()
    match row:
        case ObservationRow():
            concept = measure_key(row).concept
            for name in row.names:
                yield plain(name), MEASURE, concept
                yield analyte(name), MEASURE, concept
                if len(analyte(name).split()) > _BRIEF:  # "peanut ige ab" is also asked for as "peanut ige"
                    yield analyte(name).rpartition(" ")[0], MEASURE, concept
        case MedicationRow():
            for name in (*row.names, *row.ingredients):
                yield plain(name), DRUG, plain(name)
                yield from ((word, DRUG, word) for word in drug_words(name) if word not in common)
        case AllergyRow():
            for name in row.names:
                yield from ((word, ALLERGEN, word) for word in drug_words(name) if word not in common)
        case ConditionRow() | ProcedureRow() | ImmunizationRow():
            kind = {"condition": PROBLEM, "procedure": PROCEDURE, "immunization": VACCINE}[row.kind]
            for name in row.names:
                bare = plain(_TAG.sub("", name))
                yield bare, kind, bare
                shortest = _SHORT if kind == PROCEDURE else _WORD_ENOUGH  # "hip" of "total hip replacement"
                single = (word for word in bare.split() if len(word) >= shortest and word not in common)
                yield from ((word, kind, word) for word in single)
        case _:
            return


def correct(word: str, known: Iterable[str]) -> str:
    """Return the one known word that `word` misspells, or "".

    Words of five letters and more; one edit (insertion, deletion, substitution, swap of neighbours) up to
    eight letters, two from nine. Two candidates at the same distance correct nothing: sound-alike drugs.
    """
    if len(word) < _WORD_ENOUGH or not word.isalpha():
        return ""
    allowed = 1 if len(word) < 9 else 2
    best, found = allowed + 1, ""
    for candidate in known:
        if abs(len(candidate) - len(word)) > allowed or not _may_match(word, candidate):
            continue
        distance = edit_distance(word, candidate, allowed)
        if distance < best:
            best, found = distance, candidate
        elif distance == best and candidate.rstrip("s") != found.rstrip("s"):
            found = ""
    return found if best <= allowed else ""


def _may_match(word: str, candidate: str) -> bool:
    # A first letter is rarely wrong but by a swap with the second; this spares most comparisons.
    return len(candidate) >= _WORD_ENOUGH - 1 and (word[0] == candidate[0] or word[:2] == candidate[1::-1])


def edit_distance(left: str, right: str, limit: int) -> int:
    """Return the optimal string alignment distance, or `limit` + 1 when it is greater."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for place, letter in enumerate(left, start=1):
        earlier, before, row = before, row, [place]
        for column, other in enumerate(right, start=1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != other))
            if place > 1 and column > 1 and letter == right[column - 2] and left[place - 2] == other:
                cost = min(cost, earlier[column - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
