"""What dose, kidney and pregnancy rules need to know of the patient, each with the fact it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey, measure_key, of_kind
from clinical.domain.facts.measurements import in_unit, latest_value, row_of
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ConditionRow, ObservationRow, ProcedureRow
from clinical.domain.scores.equations import ckd_epi_2021, rounded
from clinical.domain.scores.person import person_of, pregnancy
from clinical.domain.scores.tables import formulas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import Trust

ADULT: Final = 18
FERTILE: Final = range(12, 56)
STALE: Final = timedelta(days=365)  # own decision: an older filtration rate is used, and said to be old
WEIGHT_OLD: Final = timedelta(days=365)
TERM: Final = timedelta(days=301)  # what was recorded longer ago says nothing of a pregnancy today
_ASKED_FOR: Final = frozenset({"egfr", "creatinine", "weight", "pregnancy-status"})


@dataclass(frozen=True, slots=True)
class Kidney:
    """Filtration rate in mL/min/1.73 m2: it lies between `low` and `high`; `words` say value, date and origin."""

    low: Decimal
    high: Decimal
    words: str
    stale: bool
    cited: tuple[tuple[Fact, Path], ...]


class PatientState:
    """The patient on one day. Everything is read from the facts at first use."""

    def __init__(self, facts: Sequence[Fact], *, today: date, trust: Trust) -> None:
        self._facts, self.today, self._trust = facts, today, trust
        self.now = datetime.combine(today, time(23, 59), tzinfo=UTC)
        self.person = person_of(facts)

    @cached_property
    def _measured(self) -> list[Fact]:
        """Return the observations that any rule asks for: a long record is gone through once."""
        return [fact for fact, row in of_kind(self._facts, ObservationRow) if measure_key(row).concept in _ASKED_FOR]

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """Return the possible ages in whole years; none without a birth date."""
        return self.person.ages(self.today)

    @cached_property
    def pregnancies(self) -> tuple[Fact, ...]:
        """Return the facts that say the patient is pregnant."""
        recent = [
            fact
            for fact in self._facts
            if isinstance(fact.row, (ConditionRow, ProcedureRow)) and self.now - fact.row.effective_sort <= TERM
        ]
        return pregnancy([*recent, *self._measured], self.person, on=self.now)

    @property
    def may_be_pregnant(self) -> bool:
        """Return whether sex and age leave a pregnancy possible."""
        return self.person.sex != "male" and (not self.ages or any(age in FERTILE for age in self.ages))

    @cached_property
    def weight_kg(self) -> tuple[Decimal, Fact] | None:
        """Return the latest weight in kg of the last year, or None."""
        fact = latest_value(self._measured, MeasureKey("weight"))
        if fact is None or self.now - fact.row.effective_sort > WEIGHT_OLD:
            return None
        value = in_unit(row_of(fact), "kg", trust=self._trust)
        return None if value is None or value <= 0 else (value, fact)

    @cached_property
    def kidney(self) -> Kidney | str:
        """Return the filtration rate recorded last, else that of the last creatinine; or why there is none."""
        recorded = latest_value(self._measured, MeasureKey("egfr", "blood"))
        if recorded is not None:
            bounds = _bounds(row_of(recorded))
            if bounds is None:
                return "the recorded eGFR is no number"
            row = row_of(recorded)
            return self._kidney(bounds, f"eGFR {row.value.text} of {display_date(row.effective)}", recorded)
        return self._calculated()

    def _calculated(self) -> Kidney | str:
        formula = formulas()["egfr"]
        creatinine = latest_value(self._measured, MeasureKey("creatinine", "blood"))
        if creatinine is None:
            return "no eGFR and no creatinine is recorded"
        if not self._trust.allows(formula.provenance, formula.digest):
            return "no eGFR is recorded, and its formula is not approved"
        value = in_unit(row_of(creatinine), "mg/dL", trust=self._trust)
        measured = creatinine.row.effective_sort
        ages = self.person.ages(measured.date())
        if value is None or value <= 0 or not ages or not self.person.sex:
            return "no eGFR is recorded, and creatinine, age or sex for calculating it are not usable"
        if min(ages) < ADULT or self.pregnancies:
            return "no eGFR is recorded, and the formula is not valid in children or pregnancy"
        rate = rounded(ckd_epi_2021(creatinine=value, age=max(ages), female=self.person.sex == "female"))
        words = f"eGFR {rate} mL/min/1.73 m2, calculated (CKD-EPI 2021) from creatinine {row_of(creatinine).value.text}"
        dated = f"{words} of {display_date(creatinine.row.effective)}"
        return self._kidney((Decimal(rate), Decimal(rate)), dated, creatinine)

    def _kidney(self, bounds: tuple[Decimal, Decimal], words: str, fact: Fact) -> Kidney:
        old = self.now - fact.row.effective_sort > STALE
        return Kidney(*bounds, words, old, ((fact, fact.row.anchor), (fact, fact.row.name_path or fact.row.anchor)))


def _bounds(row: ObservationRow) -> tuple[Decimal, Decimal] | None:
    """Return the least and greatest value that a result means: ">60" is 60 and above, "<15" below 15."""
    try:
        number = Decimal(row.value.number)
    except InvalidOperation:
        return None
    if row.value.comparator.startswith(">"):
        return number, Decimal("Infinity")
    if row.value.comparator.startswith("<"):
        return Decimal(0), number - Decimal("0.01")
    return number, number
