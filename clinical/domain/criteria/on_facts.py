"""A criterion's test on the typed facts: met, not met, or not to be told from what is recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.facts.measurements import in_unit, number_of, row_of, series
from clinical.domain.facts.medications import active_medications, drug_names, names_drug
from clinical.domain.facts.render import render
from clinical.domain.facts.statements import about, active_problems, newest, patient, problems_about, procedures
from clinical.domain.facts.tables import measurements
from clinical.domain.lexicon.tables import Kind
from clinical.domain.projection.dates import UNDATED, display_date
from clinical.domain.projection.rows import ConditionRow, MedicationRow, ObservationRow, PatientRow
from clinical.domain.route.answer import age
from clinical.domain.summary.matter import matter_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from clinical.domain.criteria.parse import Test
    from clinical.domain.facts.fact import Fact

_DROPPED: Final = re.compile(r"[{}\[\]_\s^*]")
_DONE: Final = frozenset({"completed", "in-progress", "unknown"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`met` None: not to be told. `text` is what the record says, `facts` what it rests on."""

    met: bool | None
    text: str = ""
    facts: tuple[Fact, ...] = ()


def outcome(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    """Return the outcome of one test; a test for the other sex, or for an unknown one, tells nothing."""
    if test.sex and test.sex != _sex(facts):
        return Outcome(None)
    return _BY_KIND[test.kind](test, facts, today)


def _said(fact: Fact) -> str:
    """Return a fact's sentence, to be gone on with."""
    return render(fact).rstrip(".")


def _measure(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    found = _series(test, facts)
    recent = [fact for fact in found if _is_within(fact, test.days, _end_of(today))]
    if not recent:
        return Outcome(
            None, f"the latest is outside the time allowed: {_said(found[-1])}" if found else "", tuple(found[-1:])
        )
    last = row_of(recent[-1]).effective_sort
    for fact in [fact for fact in recent if row_of(fact).effective_sort == last]:
        met, text = _held_to(row_of(fact), test), _said(fact)
        if met is not None:
            return Outcome(met, f"{text}{_converted(row_of(fact), test.unit)}", (fact,))
    return Outcome(None, f"cannot be held to the criterion's unit or number: {_said(recent[-1])}", (recent[-1],))


def _held_to(row: ObservationRow, test: Test) -> bool | None:
    """Return whether the value meets the threshold in the criterion's unit; converted by code, or not at all."""
    if _same_unit(row, test.unit):
        return _compare(row.value.number, row.value.comparator, test)
    number = in_unit(row, test.unit)
    return None if number is None else _compare(str(number), "", test)


def _converted(row: ObservationRow, unit: str) -> str:
    if _same_unit(row, unit) or (number := in_unit(row, unit)) is None:
        return ""
    return f" (converted: {number.normalize():f} {unit})"


def _change(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    """The newest result against the lowest of the time before it, as a difference or a ratio."""
    del today
    found = [fact for fact in _series(test, facts) if number_of(row_of(fact)) is not None]
    found = [
        fact
        for fact in found
        if row_of(fact).effective_sort > UNDATED and _same_unit(row_of(fact), test.unit or _unit(row_of(found[-1])))
    ]
    if not found:
        return Outcome(None)
    last = found[-1]
    before = [one for one in found[:-1] if _is_within(one, test.days, row_of(last).effective_sort)]
    if not before:
        return Outcome(None, f"one result only in the time asked for: {_said(last)}", (last,))
    lowest = min(before, key=lambda one: number_of(row_of(one)) or Decimal(0))
    low, high = number_of(row_of(lowest)) or Decimal(0), number_of(row_of(last)) or Decimal(0)
    if test.kind == "ratio" and low <= 0:
        return Outcome(None, _said(last), (last,))
    change = high - low if test.kind == "rise" else high / low
    said = f"a change of {change}" if test.kind == "rise" else f"{change.quantize(Decimal('0.01'))} times"
    text = f"{_said(last)}; before it {_said(lowest)} ({said})"
    return Outcome(_OPERATORS[test.operator](change, test.number), text, (last, lowest))


def _persists(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    del today
    found = [fact for fact in _series(test, facts) if _held_to(row_of(fact), test) is not None]
    if not found:
        return Outcome(None)
    last = found[-1]
    if not _held_to(row_of(last), test):
        return Outcome(met=False, text=_said(last), facts=(last,))
    run = [last]
    for fact in reversed(found[:-1]):
        if not _held_to(row_of(fact), test):
            break
        run.append(fact)
    first = run[-1]
    lasted = row_of(last).effective_sort - row_of(first).effective_sort
    text = f"{_said(last)}; {len(run)} results in a row, the first {_said(first)}"
    if lasted >= timedelta(days=float(test.days or 0)):
        return Outcome(met=True, text=text, facts=(last, first))
    return Outcome(None, f"not long enough to tell: {text}", (last, first))


def _problem(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    del today
    wanted = matter_of([test.name], Kind.CONDITION, loose=True)
    named = [fact for fact in facts if isinstance(fact.row, ConditionRow) and fact.row.status != "entered-in-error"]
    if wanted:
        named = [fact for fact in named if wanted.own & matter_of(fact.row.names, Kind.CONDITION).wider]
    else:
        named = [fact for fact in named if fact in problems_about(facts, test.name)]
    in_force = active_problems(named)
    past = [fact for fact in newest(named) if fact not in in_force]
    standing = [fact for fact in past if fact.row.status != "refuted"]
    if in_force or (test.kind == "history" and standing):
        kept = tuple((in_force or standing)[:1])
        return Outcome(met=True, text=_said(kept[0]), facts=kept)
    if refuted := [fact for fact in past if fact.row.status == "refuted"]:
        return Outcome(met=False, text=f"recorded as refuted: {_said(refuted[0])}", facts=(refuted[0],))
    return Outcome(None, f"in the past only: {_said(standing[0])}" if standing else "", tuple(standing[:1]))


def _medicine(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    wanted, names = matter_of([test.name], Kind.DRUG, loose=True), drug_names(test.name)
    for fact in active_medications(facts, today=today):
        if not isinstance(fact.row, MedicationRow):
            continue
        own = matter_of((*fact.row.names, *fact.row.ingredients), Kind.DRUG)
        if wanted.own & own.wider or names_drug(fact.row, names):
            return Outcome(met=True, text=_said(fact), facts=(fact,))
    return Outcome(None)


def _procedure(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    found = about(procedures(facts), test.name, ()) if test.name != "surgery" else procedures(facts)
    for fact in found:
        if fact.row.status in _DONE and _is_within(fact, test.days, _end_of(today)):
            return Outcome(met=True, text=_said(fact), facts=(fact,))
    return Outcome(None)


def _age(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    fact = patient(facts)
    years = age(fact.row, today) if fact is not None and isinstance(fact.row, PatientRow) else ""
    if fact is None or not years:
        return Outcome(None)
    least, most = int(years.split(" ")[0]), int(years.split(" ")[-1])
    answers = {_OPERATORS[test.operator](Decimal(one), test.number) for one in (least, most)}
    return Outcome(
        answers.pop() if len(answers) == 1 else None, f"age {years} on {display_date(today.isoformat())}", (fact,)
    )


def _is_sex(test: Test, facts: Sequence[Fact], today: date) -> Outcome:
    del today
    fact, sex = patient(facts), _sex(facts)
    if fact is None or sex not in ("female", "male"):
        return Outcome(None)
    return Outcome(sex == test.name, f"recorded as {sex}", (fact,))


def _sex(facts: Sequence[Fact]) -> str:
    fact = patient(facts)
    return fact.row.gender if fact is not None and isinstance(fact.row, PatientRow) else ""


def _series(test: Test, facts: Sequence[Fact]) -> list[Fact]:
    """Return the results of the test's analyte, oldest first."""
    return series(facts, MeasureKey(test.name, measurements()[test.name].sample))


def _is_within(fact: Fact, days: Decimal | None, end: datetime) -> bool:
    moment = fact.row.effective_sort
    return days is None or (moment > UNDATED and moment >= end - timedelta(days=float(days)))


def _end_of(today: date) -> datetime:
    return datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)


def _unit(row: ObservationRow) -> str:
    return row.value.ucum or row.value.unit


def _same_unit(row: ObservationRow, wanted: str) -> bool:
    if not wanted:
        return True
    return _comparable(wanted) in {_comparable(row.value.ucum), _comparable(row.value.unit)}


def _comparable(unit: str) -> str:
    """Return a unit without the marks that its spellings differ in; never another unit's."""
    return _DROPPED.sub("", unit.replace("µ", "u").replace("μ", "u")).lower().replace("10e", "10")


def _compare(written: str, comparator: str, test: Test) -> bool | None:
    """Return whether a value meets the threshold; "<50" tells only what it can."""
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    met = _OPERATORS[test.operator](number, test.number)
    upward = test.operator in (">=", ">")
    if comparator in ("<", "<="):
        return None if met == upward else met
    if comparator in (">", ">="):
        return None if met != upward else met
    return met


_OPERATORS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    ">=": Decimal.__ge__,
    ">": Decimal.__gt__,
    "<=": Decimal.__le__,
    "<": Decimal.__lt__,
}
_BY_KIND: Final[dict[str, Callable[[Test, Sequence[Fact], date], Outcome]]] = {
    "measure": _measure,
    "rise": _change,
    "ratio": _change,
    "persists": _persists,
    "problem": _problem,
    "history": _problem,
    "medicine": _medicine,
    "procedure": _procedure,
    "age": _age,
    "sex": _is_sex,
}
