"""Who the score is for: age, sex, pregnancy, death, as recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.facts.measurements import row_of, series
from clinical.domain.facts.statements import patient
from clinical.domain.projection.rows import PatientRow
from clinical.domain.scores.evidence import State, finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path

_TERM: Final = timedelta(days=300)  # a pregnancy recorded longer ago is over, whatever its status says
_PREGNANT: Final = ("pregnant", "77386006")


@dataclass(frozen=True, slots=True)
class Person:
    """The patient. `sex` is "male", "female" or "" (other and unknown: formulas have no value for them)."""

    fact: Fact | None
    sex: str
    born: str
    deceased: bool

    def ages(self, on: date) -> tuple[int, ...]:
        """Return the possible ages in whole years on a day: one, two for a partial birth date, none without one."""
        if not self.born[:4].isdigit():
            return ()
        youngest, oldest = _age(self.born, on, "-12-31"), _age(self.born, on, "-01-01")
        return (oldest,) if youngest == oldest else (youngest, oldest)

    def cites(self, *elements: str) -> tuple[tuple[Fact, Path], ...]:
        """Return citations of the Patient's elements ("birthDate", "gender")."""
        return tuple((self.fact, (name,)) for name in elements) if self.fact is not None else ()


def person_of(facts: Sequence[Fact]) -> Person:
    """Return who the facts are about; an empty person when no Patient is held."""
    fact = patient(facts)
    if fact is None or not isinstance(fact.row, PatientRow):
        return Person(None, "", "", deceased=False)
    row = fact.row
    sex = row.gender if row.gender in ("male", "female") else ""
    return Person(fact, sex, row.birth_date, deceased=bool(row.deceased))


def pregnancy(facts: Sequence[Fact], person: Person, *, on: datetime) -> tuple[Fact, ...]:
    """Return the facts that say the patient is pregnant at `on`; none for a man, or when none does.

    An active problem, or a pregnancy status, of the 300 days before `on` counts; the newer of the two decides.
    """
    if person.sex == "male":
        return ()
    held = finding(facts, ["pregnancy"], now=on, history=False)
    problem = [fact for fact in held.facts if held.state is State.PRESENT and on - fact.row.effective_sort <= _TERM]
    statuses = [fact for fact in series(facts, MeasureKey("pregnancy-status")) if fact.row.effective_sort <= on]
    for fact in statuses[-1:]:
        value = row_of(fact).value
        positive = value.text.lower() == _PREGNANT[0] or any(code.endswith(f"|{_PREGNANT[1]}") for code in value.codes)
        if positive and on - fact.row.effective_sort <= _TERM:
            return (fact, *problem)
        if not positive and all(one.row.effective_sort < fact.row.effective_sort for one in problem):
            return ()
    return tuple(problem)


def _age(born: str, on: date, rest: str) -> int:
    """Return the age with the unknown end of the birth date taken as `rest` ("-12-31")."""
    full = born if len(born) >= len("1955-03-01") else born + rest[len(born) - len("1955") :]
    return on.year - int(full[:4]) - ((on.month, on.day) < (int(full[5:7]), int(full[8:10])))
