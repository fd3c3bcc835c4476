"""Which immunisations of a core schedule are given and which are due, computed from the birth date and the doses."""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.facts.fact import Fact, of_kind
from clinical.domain.facts.naming import plain
from clinical.domain.facts.statements import newest, patient, same_names
from clinical.domain.facts.tables import vaccines
from clinical.domain.projection.rows import ImmunizationRow, PatientRow
from clinical.domain.provenance import DEMO, Provenance, SourceStatus, Trust, row_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TABLE: Final = "schedule/series"
_WHOLE_DATE: Final = len("2025-03-14")
_YEAR: Final = 12


class DoseState(StrEnum):
    """What the schedule says of one vaccine."""

    UP_TO_DATE = "up to date"
    DUE = "due"
    LATER = "not due yet"
    UNDECIDED = "cannot be decided by the schedule held"


@dataclass(frozen=True, slots=True)
class Due:
    """One vaccine of the schedule. `why` gives the rule and what it was applied to; `doses` are those counted."""

    name: str
    state: DoseState
    why: str
    doses: tuple[Fact, ...]
    provenance: Provenance | None = None


@cache
def _read() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath("schedule.json").read_text(encoding="utf-8"))
    return read


def rows() -> list[tuple[str, dict[str, Any], Provenance]]:
    """Return each approvable row of the schedule with its table's name and provenance."""
    return [(_TABLE, row, _provenance(row)) for row in _read()["series"]]


def _provenance(row: dict[str, Any]) -> Provenance:
    return Provenance(row["source"], row["edition"], SourceStatus(row["status"]))


def due(facts: Sequence[Fact], *, today: date, asked: str = "", trust: Trust = DEMO) -> list[Due]:
    """Apply the schedule to the doses recorded as given; those not done or entered in error count for nothing.

    Args:
        facts: all current facts of one patient.
        today: the day of the question.
        asked: a comparable vaccine name; "" for the whole schedule.
        trust: rows that may not be used here give `UNDECIDED`.
    """
    person = patient(facts)
    born = person.row.birth_date if person is not None and isinstance(person.row, PatientRow) else ""
    ages = _ages(born, today)
    given = newest(fact for fact, row in of_kind(facts, ImmunizationRow) if row.status == "completed")
    found: list[Due] = []
    for row in _read()["series"]:
        if asked and not _is_asked(row, asked):
            continue
        if ages is None:
            found.append(_undecided(row["name"], "the birth date is not recorded", ()))
        elif ages[1] >= row.get("from_months", 0) and ages[0] < row.get("until_months", ages[0] + 1):
            found.append(_judged(row, given, ages, today, trust))
    found.extend(
        _undecided(row["name"], row["why"], _doses(given, row.get("cvx", ()), row["terms"]))
        for row in _read()["undecidable"]
        if (not asked or _is_asked(row, asked)) and (ages is None or ages[0] >= row.get("from_months", 0))
    )
    return found


def _judged(row: dict[str, Any], given: Sequence[Fact], ages: tuple[int, int], today: date, trust: Trust) -> Due:
    doses = _doses(given, row["cvx"], row["terms"])
    source = _provenance(row)
    if not trust.allows(source, row_digest(_TABLE, row)):
        return _undecided(row["name"], "this row of the schedule is not approved here", doses)
    other = row.get("undecided_if")
    if other and (mixed := _doses(given, other["cvx"], other["terms"])) and set(mixed) - set(doses):
        return _undecided(row["name"], other["why"], mixed)
    judged = {_by_interval(row, doses, today) if "every_months" in row else _by_age(row, doses, age) for age in ages}
    if len(judged) > 1:
        return _undecided(row["name"], "the birth date is not exact enough", doses)
    state, why = judged.pop()
    if "unsure" in row:
        why = f"{why} ({row['unsure']})"
    return Due(row["name"], state, why, doses, source)


def _by_interval(row: dict[str, Any], doses: Sequence[Fact], today: date) -> tuple[DoseState, str]:
    months = row["every_months"]
    rule = f"one dose every {months // _YEAR} year{'s' if months > _YEAR else ''}"
    if not doses:
        return DoseState.DUE, f"{rule}; no dose is recorded here"
    last = doses[0].row.effective_sort.date()
    if _months(last, today) >= months:
        return DoseState.DUE, f"{rule}; the last recorded dose is older"
    return DoseState.UP_TO_DATE, f"{rule}; the last recorded dose is within it"


def _by_age(row: dict[str, Any], doses: Sequence[Fact], age: int) -> tuple[DoseState, str]:
    ages = row["ages_months"]
    reached = sum(age >= months for months in ages)
    told = f"{len(ages)} dose{'s' if len(ages) > 1 else ''} at {', '.join(map(_age_text, ages))}"
    counted = f"{len(doses)} recorded"
    if len(doses) < reached:
        return DoseState.DUE, f"{told}; {counted}"
    state = DoseState.UP_TO_DATE if len(doses) >= len(ages) or reached else DoseState.LATER
    following = f"; next at {_age_text(ages[len(doses)])}" if len(doses) < len(ages) else ""
    return state, f"{told}; {counted}{following}"


def _age_text(months: int) -> str:
    if months == 0:
        return "birth"
    years, rest = divmod(months, _YEAR)
    if months < 2 * _YEAR:
        return f"{months} month{'s' if months > 1 else ''}"
    return f"{years} years" if not rest else f"{years} years and {rest} months"


def _undecided(name: str, why: str, doses: Iterable[Fact]) -> Due:
    return Due(name, DoseState.UNDECIDED, why, tuple(doses))


def _is_asked(row: dict[str, Any], asked: str) -> bool:
    names = same_names(asked, vaccines())
    return any(
        name == term or f" {term} " in f" {name} " for name in names for term in (*row["terms"], *row.get("asked", ()))
    )


def _doses(given: Iterable[Fact], cvx: Sequence[str], terms: Sequence[str]) -> tuple[Fact, ...]:
    """Return the doses by CVX code; by name only where an entry has no CVX code."""
    found = []
    for fact in given:
        codes = {code.rpartition("|")[2] for code in fact.row.codes if "cvx" in code.partition("|")[0].lower()}
        names = [f" {plain(name)} " for name in fact.row.names]
        if codes & set(cvx) or (not codes and any(f" {term} " in name for name in names for term in terms)):
            found.append(fact)
    return tuple(found)


def _ages(born: str, today: date) -> tuple[int, int] | None:
    """Return the least and greatest age in whole months that a birth date, partial or not, allows."""
    try:
        if len(born) >= _WHOLE_DATE:
            exact = _months(date.fromisoformat(born[:_WHOLE_DATE]), today)
            return exact, exact
        year, _, month = born.partition("-")
        first = date(int(year), int(month or 1), 1)
        last = date(int(year), int(month or _YEAR), monthrange(int(year), int(month or _YEAR))[1])
    except ValueError:
        return None
    return max(_months(last, today), 0), _months(first, today)


def _months(start: date, end: date) -> int:
    """Return completed calendar months from one day to another."""
    return (end.year - start.year) * _YEAR + end.month - start.month - (end.day < start.day)
