"""The medicines a check looks at: standing orders and statements, and what the question asks about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.medications import active_medications
from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.dosage import Dose, doses, is_as_needed
from clinical.domain.medication_safety.names import Drug, identify, index_of
from clinical.domain.projection.rows import MedicationRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import Trust

_ROUTES: Final = ("local", "inhaled", "injected", "oral")
_WORD: Final = re.compile(r"[a-z]+")
_RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm|"


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine under check. `fact` is None for one that the question asks about.

    `route` is oral, injected, inhaled, local (eye, ear, nose, skin, vagina), or systemic where the record
    does not say. `conflict` when its RxNorm code names another ingredient than its name.
    """

    label: str
    drug: Drug
    route: str
    as_needed: bool
    doses: Mapping[str, Dose]
    fact: Fact | None = None
    conflict: bool = False

    @property
    def how(self) -> str:
        """Return how it comes into the check: an order is no proof that it is taken."""
        if self.fact is None:
            return "is asked about"
        return "is ordered" if self.fact.row.resource_type == "MedicationRequest" else "is recorded as taken"

    @property
    def is_local(self) -> bool:
        """Return whether it acts where it is put, so that rules for the whole body do not apply."""
        return self.route == "local"

    @property
    def citations_from(self) -> tuple[tuple[Fact, Path], ...]:
        """Return where the order names the medicine; nothing for one that is only asked about."""
        if self.fact is None:
            return ()
        return ((self.fact, self.fact.row.name_path or self.fact.row.anchor),)

    @property
    def dose_cited(self) -> tuple[tuple[Fact, Path], ...]:
        """Return the name's place and that of the dosage."""
        if self.fact is None or not isinstance(self.fact.row, MedicationRow):
            return ()
        row = self.fact.row
        if not (row.dosage or row.dose or row.timing):
            return self.citations_from
        element = "dosage" if row.resource_type in ("MedicationStatement", "MedicationAdministration") else ""
        return (*self.citations_from, (self.fact, (element or "dosageInstruction",)))


def standing(facts: Iterable[Fact], *, today: date, trust: Trust) -> list[Medicine]:
    """Return the medicines in force on `today`, in the order of their resources."""
    found = sorted(active_medications(facts, today=today), key=lambda fact: (fact.resource, fact.version))
    return [ordered(fact, fact.row, trust) for fact in found if isinstance(fact.row, MedicationRow)]


def facts_about(name: str, facts: Iterable[Fact], *, today: date, trust: Trust) -> frozenset[Fact]:
    """Return the standing orders and statements that hold an ingredient of what `name` means."""
    wanted = set(identify(name, trust).ingredients)
    return frozenset(
        one.fact
        for one in standing(facts, today=today, trust=trust)
        if one.fact is not None and wanted & set(one.drug.ingredients)
    )


def ordered(fact: Fact | None, row: MedicationRow, trust: Trust) -> Medicine:
    """Return the medicine of one order or statement."""
    read = _read(row.names, row.ingredients, row.codes, row.route, (row.dosage, row.dose, row.timing), trust)
    return Medicine(
        label=f"{row.text} (on hold)" if row.status == "on-hold" else row.text,
        drug=read.drug,
        route=read.route,
        as_needed=row.as_needed or read.as_needed,
        doses=read.doses,
        fact=fact,
        conflict=read.conflict,
    )


@lru_cache(maxsize=16384)
def _read(
    names: tuple[str, ...],
    parts: tuple[str, ...],
    codes: tuple[str, ...],
    route: str,
    dosage: tuple[str, str, str],
    trust: Trust,
) -> Medicine:
    """Return what the words and codes of an order mean, without the order itself."""
    drug, conflict = _drug_of(names, parts, codes, trust)
    text, dose, timing = dosage
    return Medicine(
        label="",
        drug=drug,
        route=route_of(route, " ".join(names), text),
        as_needed=is_as_needed(text),
        doses=doses(text, dose, timing, drug),
        conflict=conflict,
    )


def asked_about(name: str, trust: Trust) -> Medicine:
    """Return a medicine or class that a question names, as if it were ordered by mouth or injection."""
    drug = identify(name, trust)
    return Medicine(label=name, drug=drug, route=route_of("", name, ""), as_needed=False, doses={})


def _drug_of(names: tuple[str, ...], parts: tuple[str, ...], codes: tuple[str, ...], trust: Trust) -> tuple[Drug, bool]:
    """Return what all names, ingredients and codes of a row mean together, and whether a code differs."""
    read = [identify(name, trust) for name in names]
    whole = [one for one in read if one.is_known]
    if parts and not whole:
        listed = [identify(part, trust) for part in parts]
        whole = [_union(listed)] if all(one.is_known for one in listed) else []
        read += listed
    known = index_of(trust).rxnorm
    coded = tuple(
        dict.fromkeys(
            known[c.removeprefix(_RXNORM)] for c in codes if c.removeprefix(_RXNORM) in known and _RXNORM in c
        )
    )
    drug = _union(whole) if whole else _union(read)
    if not coded:
        return drug, False
    both = tuple(dict.fromkeys(drug.ingredients + coded))
    conflict = bool(drug.ingredients) and not set(coded) <= set(drug.ingredients)
    # Where no name is known at all, the code says what it is.
    unknown = drug.unknown if drug.ingredients else ()
    return Drug(both, unknown, drug.classes, drug.read_as, drug.strengths), conflict


def _union(read: list[Drug]) -> Drug:
    if len(read) == 1:
        return read[0]
    return Drug(
        tuple(dict.fromkeys(one for drug in read for one in drug.ingredients)),
        tuple(dict.fromkeys(one for drug in read for one in drug.unknown)),
        tuple(dict.fromkeys(one for drug in read for one in drug.classes)),
        tuple(dict.fromkeys(one for drug in read for one in drug.read_as)),
        next((drug.strengths for drug in read if drug.strengths), ()),
    )


def route_of(route: str, names: str, dosage: str) -> str:
    """Return oral, injected, inhaled, local, or "systemic": by the route recorded, else by form and directions."""
    known = _route_words()
    for text in (route, names, dosage):
        ranks = [known[word] for word in _WORD.findall(text.lower()) if word in known]
        if ranks:
            return _ROUTES[min(ranks)]
    return "systemic"


@cache
def _route_words() -> dict[str, int]:
    """Return the words that say a route, by the place of the route in `_ROUTES`: the first of several counts."""
    return {word: rank for rank, kind in reversed(list(enumerate(_ROUTES))) for word in tables.words(kind)}
