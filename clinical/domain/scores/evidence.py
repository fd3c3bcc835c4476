"""Comorbidity and medicines as evidence for an item: coded problems and procedures, standing orders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.medications import active_medications, drug_names, names_drug
from clinical.domain.facts.statements import active_problems
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.words import tokens
from clinical.domain.projection.rows import ConditionRow, MedicationRow, ProcedureRow
from clinical.domain.scores.tables import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from clinical.domain.facts.fact import Fact

_DOUBTED: Final = frozenset({"unconfirmed", "provisional", "differential"})
_ICD: Final = re.compile(r"icd-?10", re.IGNORECASE)
_DONE: Final = frozenset({"completed", "in-progress", "unknown"})


class State(StrEnum):
    """What the record says about an item."""

    PRESENT = "recorded"
    RESOLVED = "recorded as resolved"
    DOUBTED = "recorded as unconfirmed"
    REFUTED = "recorded absent"
    SILENT = "not documented"


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of an item with the facts that show it; none when the record is silent."""

    state: State
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class _Concept:
    snomed: frozenset[str]
    icd10: tuple[str, ...]
    lexicon: frozenset[str]
    also: re.Pattern[str] | None
    never: re.Pattern[str]


def finding(facts: Sequence[Fact], concepts: Iterable[str], *, now: datetime, history: bool) -> Finding:
    """Return what the record's problems and procedures say about any of `concepts` up to `now`.

    A problem that is active or of unknown status is evidence; a resolved one too where `history`
    counts. Unconfirmed, provisional and differential diagnoses are shown and not counted. A refuted one is
    the only recorded absence; of several states the strongest counts.
    """
    wanted = [_concepts()[name] for name in concepts]
    about = [fact for fact in facts if fact.row.effective_sort <= now and any(_names(fact, one) for one in wanted)]
    problems = of_kind(about, ConditionRow)
    doubted = [fact for fact, row in problems if row.verification in _DOUBTED]
    refuted = [fact for fact, row in problems if row.verification == "refuted"]
    held = [fact for fact, _ in problems if fact not in doubted and fact not in refuted]
    active = set(active_problems(held))
    done = [fact for fact, row in of_kind(about, ProcedureRow) if row.status in _DONE]
    present = [fact for fact in held if history or fact in active] + done
    for state, shown in (
        (State.PRESENT, present),
        (State.RESOLVED, held),
        (State.DOUBTED, doubted),
        (State.REFUTED, refuted),
    ):
        if shown:
            newest = sorted(shown, key=lambda fact: fact.row.effective_sort, reverse=True)
            return Finding(state, tuple(newest[:2]))
    return Finding(State.SILENT)


def medicines(facts: Sequence[Fact], classes: Iterable[str], *, today: date) -> list[Fact]:
    """Return standing orders and statements of a drug class in force on `today`, newest first."""
    wanted = frozenset().union(*(drug_names(name) for name in classes))
    active = active_medications(facts, today=today)
    return [fact for fact in active if isinstance(fact.row, MedicationRow) and names_drug(fact.row, wanted)]


def _names(fact: Fact, concept: _Concept) -> bool:
    row = fact.row
    if not isinstance(row, (ConditionRow, ProcedureRow)):
        return False
    names = [name.lower() for name in (*row.names, row.text)]
    if any(concept.never.search(name) for name in names):
        return False
    return _coded(row.codes, concept) or any(_called(name, concept) for name in (*row.names, row.text))


def _coded(codes: Iterable[str], concept: _Concept) -> bool:
    for code in codes:
        system, _, bare = code.partition("|")
        if "snomed" in system and bare in concept.snomed:
            return True
        if _ICD.search(system) and bare.replace(".", "").startswith(concept.icd10):
            return True
    return False


def _called(name: str, concept: _Concept) -> bool:
    if concept.also is not None and concept.also.search(name.lower()):
        return True
    return bool(concept.lexicon & _meant(name))


@lru_cache(maxsize=8192)
def _meant(name: str) -> frozenset[str]:
    """Return the ids of the lexicon's concepts that a name holds, with what they are a kind of."""
    return frozenset().union(*(found.concept.wider for found in find_concepts(tokens(name))))


@cache
def _concepts() -> dict[str, _Concept]:
    table: dict[str, Any] = read("conditions")
    return {
        row["id"]: _Concept(
            snomed=frozenset(row["snomed"]),
            icd10=tuple(prefix.replace(".", "") for prefix in row["icd10"]),
            lexicon=frozenset(row.get("lexicon", ())),
            also=re.compile(row["also"]) if "also" in row else None,
            never=re.compile("|".join(filter(None, (table["never"], row.get("not", ""))))),
        )
        for row in table["rows"]
    }
