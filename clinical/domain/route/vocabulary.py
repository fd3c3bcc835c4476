"""The words a question may name things by: those of the patient's own record, and the synonym tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts import tables
from clinical.domain.facts.fact import MeasureKey, measure_key
from clinical.domain.facts.medications import drug_names
from clinical.domain.facts.naming import analyte, drug_words, plain
from clinical.domain.facts.naming import words as comparable
from clinical.domain.projection.rows import IN_ERROR, MedicationRow, ObservationRow, PatientRow
from clinical.domain.route.table import common_words, fillers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clinical.domain.facts.fact import Fact

MEASURE, DRUG, PROBLEM, VACCINE, PROCEDURE, ALLERGEN = (
    "measure",
    "drug",
    "problem",
    "vaccine",
    "procedure",
    "allergen",
)
REPORT, ENCOUNTER, PANEL = "report", "encounter", "panel"
LONGEST: Final = 16  # words of a name that are looked for
_WORD_ENOUGH: Final = 5
_BRIEF: Final = 2
_SHORT: Final = 3
_ENDINGS: Final = ("ing", "ers", "ed", "ly", "al", "er", "s")
_TAG: Final = re.compile(r"\s*\((?:disorder|finding|procedure|situation|substance|product|qualifier value)\)\s*$")
_KINDS: Final = {
    "observation": MEASURE,
    "medication": DRUG,
    "condition": PROBLEM,
    "immunization": VACCINE,
    "procedure": PROCEDURE,
    "allergy": ALLERGEN,
    "report": REPORT,
}
Targets = dict[str, str]  # kind -> what it is known by: a measurement's concept, else the comparable name


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Comparable names and what each may mean, by kind. Build it with `vocabulary_of`.

    `codes` are the record's own codings, lower case without their system: kind to the measurement's "concept|sample",
    else to the code itself.
    """

    names: Mapping[str, Targets] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    own_name: frozenset[str] = frozenset()
    codes: Mapping[str, Targets] = field(default_factory=dict)

    def find(self, name: str) -> Targets:
        """Return what a comparable name means, singular or plural; empty when unknown."""
        for form in (name, name.removesuffix("'s"), name.removesuffix("s"), f"{name}s", f"{name.removesuffix('ies')}y"):
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
    for item in tables.investigations():
        for term in item.terms:
            names.setdefault(term, {}).setdefault(PROCEDURE, term)
            names[term].setdefault(REPORT, term)
    for term in tables.panels():
        names.setdefault(term, {}).setdefault(PANEL, term)
    return names


@cache
def _table_words() -> frozenset[str]:
    return frozenset(word for name in _tables() for word in name.split())


def vocabulary_of(facts: Sequence[Fact]) -> Vocabulary:
    """Return the vocabulary of one patient's facts, the synonym tables included.

    Linear in the facts; rows of the same kind, names and codes are read once, in a process too.
    """
    own: dict[str, Targets] = {}
    codes: dict[str, Targets] = {}
    words: set[str] = set()
    own_name: set[str] = set()
    seen: set[tuple[object, ...]] = set()
    for fact in facts:
        row = fact.row
        if row.status == IN_ERROR:
            continue
        about = (row.kind, row.names, row.codes, row.sample if isinstance(row, ObservationRow) else "")
        if about in seen:
            continue
        seen.add(about)
        if isinstance(row, PatientRow):
            # Not by way of `plain`, whose cache must not keep patients' names.
            own_name.update(part for name in row.names for word in comparable(name) for part in word.split("-"))
        key = measure_key(row) if isinstance(row, ObservationRow) else MeasureKey("")
        names = (*row.names, *row.ingredients) if isinstance(row, MedicationRow) else row.names
        for name, kind, target in _own_names(row.kind, names, key.concept):
            own.setdefault(name, {}).setdefault(kind, target)
            words.update(name.split())
        if row.kind in _KINDS:
            for coding in row.codes:
                code = coding.rpartition("|")[2].lower()
                held = f"{key.concept}|{key.sample}" if row.kind == "observation" else code
                codes.setdefault(code, {}).setdefault(_KINDS[row.kind], held)
    names_of = dict(_tables())
    for name, targets in own.items():
        names_of[name] = {**targets, **names_of[name]} if name in names_of else targets
    return Vocabulary(names_of, _table_words() | words, frozenset(own_name), codes)


@lru_cache(maxsize=16384)
def _own_names(kind: str, names: tuple[str, ...], concept: str) -> tuple[tuple[str, str, str], ...]:
    """Return (comparable name, kind, what it is known by) of a row's names, once each."""
    reader = _READERS.get(kind)
    found = [] if reader is None else [one for name in names for one in reader(name, kind, concept)]
    return tuple(dict.fromkeys(one for one in found if one[0]))


Named = tuple[str, str, str]


def _of_measure(name: str, _kind: str, concept: str) -> Iterable[Named]:
    yield plain(name), MEASURE, concept
    yield analyte(name), MEASURE, concept
    if " by " in name:
        yield plain(name.partition(" by ")[0]), MEASURE, concept
    parts = analyte(name).split()
    for length in range(_BRIEF, len(parts)):  # "polyp size greatest dimension" is asked for as "polyp size"
        if parts[0] not in fillers() and parts[length - 1] not in fillers():
            yield " ".join(parts[:length]), MEASURE, concept
    if len(analyte(name).split()) > _BRIEF:  # "peanut ige ab" is also asked for as "peanut ige"
        yield analyte(name).rpartition(" ")[0], MEASURE, concept


def _of_medicine(name: str, _kind: str, _concept: str) -> Iterable[Named]:
    yield plain(name), DRUG, plain(name)
    yield from ((word, DRUG, word) for word in drug_words(name) if word not in common_words())


def _of_allergy(name: str, _kind: str, _concept: str) -> Iterable[Named]:
    yield from ((word, ALLERGEN, word) for word in drug_words(name) if word not in common_words())


def _of_encounter(name: str, _kind: str, _concept: str) -> Iterable[Named]:
    bare = plain(_TAG.sub("", name))
    yield bare, ENCOUNTER, bare


def _of_report(name: str, _kind: str, _concept: str) -> Iterable[Named]:
    yield plain(name), REPORT, plain(name)
    yield analyte(name), REPORT, analyte(name)
    yield from ((word, REPORT, word) for word in analyte(name).split() if _is_telling(word, _WORD_ENOUGH))


def _of_other(name: str, row_kind: str, _concept: str) -> Iterable[Named]:
    kind = _KINDS[row_kind]
    bare = plain(_TAG.sub("", name))
    yield bare, kind, bare
    shortest = _SHORT if kind == PROCEDURE else _WORD_ENOUGH  # "hip" of "total hip replacement"
    yield from ((word, kind, word) for word in bare.split() if _is_telling(word, shortest))


_READERS: Final[dict[str, Callable[[str, str, str], Iterable[Named]]]] = {
    "observation": _of_measure,
    "medication": _of_medicine,
    "allergy": _of_allergy,
    "encounter": _of_encounter,
    "report": _of_report,
    "condition": _of_other,
    "procedure": _of_other,
    "immunization": _of_other,
}


def _is_telling(word: str, shortest: int) -> bool:
    return len(word) >= shortest and word not in common_words()


def correct(word: str, known: Iterable[str], *, is_name: Callable[[str], bool] = bool) -> str:
    """Return the one known word that `word` misspells, or "".

    Words of five letters and more; one edit (insertion, deletion, substitution, swap of neighbours) up to
    eight letters, two from nine. Two candidates at the same distance correct nothing (sound-alike drugs), unless one
    of them alone `is_name` by itself ("creatinine" beside the first half of "creatine kinase"), or both are
    spellings of one medicine.
    """
    if len(word) < _WORD_ENOUGH or not word.isalpha():
        return ""
    allowed = 1 if len(word) < 9 else 2
    best, found = allowed + 1, [""]
    for candidate in known:
        if not candidate.isalpha() or abs(len(candidate) - len(word)) > allowed or not _may_match(word, candidate):
            continue
        if _is_another_form(word, candidate):
            continue
        distance = edit_distance(word, candidate, allowed)
        if distance < best:
            best, found = distance, [candidate]
        elif distance == best:
            found.append(candidate)
    if best > allowed:
        return ""
    names = [one for one in found if is_name(one)] or found
    return names[0] if len({_same(one) for one in names}) == 1 else ""


def _is_another_form(word: str, candidate: str) -> bool:
    """Return whether a word is another form of the candidate ("accidental", "delivered"), and no slip."""
    if len(word) - len(candidate) > 1 and word.startswith(candidate):
        return True
    ending = next((one for one in _ENDINGS if word.endswith(one)), "")
    return bool(ending) and candidate.startswith(word.removesuffix(ending)) and not candidate.endswith(ending)


def _same(word: str) -> frozenset[str]:
    """Return what two spellings share that mean the same: the names of one medicine, else the word without its s."""
    names = drug_names(word)
    return names if len(names) > 1 else frozenset({word.rstrip("s")})


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
