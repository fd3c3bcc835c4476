"""Active problems, each once, and what the record or the table of links sets beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.naming import plain
from clinical.domain.facts.statements import active_problems, encounters
from clinical.domain.lexicon.tables import Kind
from clinical.domain.projection.rows import ConditionRow, EncounterRow, MedicationRow
from clinical.domain.summary.matter import Matter, matter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact

_TAG: Final = re.compile(r"\s*\((?:disorder|finding|situation|procedure|event|observable entity)\)\s*$", re.IGNORECASE)
_PACE: Final = frozenset({"acute", "chronic"})
MOST_TESTS: Final = 6  # latest results beside one problem


@dataclass(frozen=True, slots=True)
class Problem:
    """One active problem: its entries newest first, what it is to the lexicon, and whether it is social."""

    name: str
    facts: tuple[Fact, ...]
    matter: Matter
    social: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a problem. `by_reason` medicines name it as their reason, `by_table` do not."""

    by_reason: tuple[Fact, ...]
    by_table: tuple[Fact, ...]
    results: tuple[Fact, ...]
    encounter: Fact | None

    def __bool__(self) -> bool:
        return bool(self.by_reason or self.by_table or self.results or self.encounter)


@dataclass(frozen=True, slots=True)
class _Link:
    problem: frozenset[str]
    drugs: frozenset[str]
    tests: tuple[str, ...]


def _table(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return read


@cache
def _links() -> tuple[_Link, ...]:
    return tuple(
        _Link(frozenset(row["problem"]), frozenset(row["drugs"]), tuple(row["tests"]))
        for row in _table("links.json")["rows"]
    )


@cache
def _social() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    table = _table("social.json")
    entries = re.compile("|".join(table["entries"]), re.IGNORECASE)
    sentences = re.compile(rf"\b(?:{'|'.join(table['sentences'])})\b", re.IGNORECASE)
    return frozenset(table["categories"]), entries, sentences


def social_words() -> re.Pattern[str]:
    """Return the pattern that finds sentences on how a person lives and manages."""
    return _social()[2]


def active(facts: Sequence[Fact]) -> list[Problem]:
    """Return the active problems, newest first, entries of the same name as one; social findings last."""
    groups: dict[str, list[tuple[Fact, ConditionRow]]] = {}
    for fact in active_problems(facts):
        if isinstance(fact.row, ConditionRow):
            groups.setdefault(plain(_TAG.sub("", fact.row.text)) or fact.resource, []).append((fact, fact.row))
    found = [
        Problem(
            name=_TAG.sub("", group[0][1].text),
            facts=tuple(fact for fact, _ in group),
            matter=matter_of(group[0][1].names, Kind.CONDITION),
            social=all(_is_social(row) for _, row in group),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda one: one.social)


def _is_social(row: ConditionRow) -> bool:
    categories, entries, _ = _social()
    return bool(categories & set(row.categories)) or bool(entries.search(row.text))


@dataclass(frozen=True, slots=True)
class Around:
    """What may stand beside a problem, read once for all of them: medicines in force, latest results, contacts."""

    medicines: tuple[tuple[Fact, MedicationRow, Matter], ...]
    latest: dict[str, Fact]
    contacts: tuple[tuple[Fact, str, Matter], ...]


def around(facts: Sequence[Fact], medicines: Sequence[Fact]) -> Around:
    """Return what may stand beside the problems of one patient; `medicines` are those in force."""
    latest: dict[str, Fact] = {}
    for fact in results(facts):
        latest.setdefault(measure_key(row_of(fact)).concept, fact)
    return Around(
        tuple(
            (fact, fact.row, matter_of((*fact.row.names, *fact.row.ingredients), Kind.DRUG))
            for fact in medicines
            if isinstance(fact.row, MedicationRow)
        ),
        latest,
        tuple(
            (fact, fact.row.reason, matter_of([fact.row.reason], Kind.CONDITION))
            for fact in encounters(facts)
            if isinstance(fact.row, EncounterRow) and fact.row.reason
        ),
    )


def beside(problem: Problem, held: Around) -> Beside:
    """Return what belongs to a problem: medicines by recorded reason, else by the table; results; last contact."""
    links = [link for link in _links() if link.problem & problem.matter.wider]
    drugs = frozenset[str]().union(*(link.drugs for link in links))
    wanted = dict.fromkeys(test for link in links for test in link.tests)
    return Beside(
        by_reason=tuple(fact for fact, row, _ in held.medicines if row.reason and _is_reason(row.reason, problem)),
        by_table=tuple(fact for fact, row, matter in held.medicines if not row.reason and drugs & matter.wider),
        results=tuple(held.latest[test] for test in wanted if test in held.latest)[:MOST_TESTS],
        encounter=next((fact for fact, words, matter in held.contacts if _same(words, matter, problem)), None),
    )


def _is_reason(words: str, problem: Problem) -> bool:
    return _same(words, matter_of([words], Kind.CONDITION), problem)


def _same(words: str, matter: Matter, problem: Problem) -> bool:
    own, said = plain(problem.name), plain(words)
    if own and own in said:
        return True
    pace, meant = _PACE & set(said.split()), _PACE & set(own.split())
    if pace and meant and pace != meant:
        return False  # acute bronchitis is no contact for a chronic one
    return problem.matter.overlaps(matter)
