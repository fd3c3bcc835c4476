"""Medicines against the patient: dose for the age, kidney function, pregnancy."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.report import SEVERITIES, Finding, Severity, made
from clinical.domain.medication_safety.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.medication_safety.dosage import Dose
    from clinical.domain.medication_safety.medicines import Medicine
    from clinical.domain.medication_safety.patient import PatientState
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import KnowledgeRow, Trust

_SYSTEMIC: Final = frozenset({"oral", "injected", "systemic"})
_DAILY: Final = Decimal("0.5")  # doses a day from which a once-weekly medicine is taken as ordered daily
_NEAR: Final = Decimal("1.0001")  # thirds of a day do not divide evenly


class Gaps:
    """Checks that could not be made, grouped by what and why, so that a long list stays short."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)

    def add(self, what: str, name: str, why: str) -> None:
        """Note that `what` of the medicine `name` was not checked."""
        self._names[what, why][name] = None

    def lines(self) -> list[str]:
        """Return "not checked: dose of a, b because ..." for each group."""
        return [
            f"not checked: {what} of {', '.join(names)} because {why}" for (what, why), names in self._names.items()
        ]


def check_patient(
    medicines: Sequence[Medicine], patient: PatientState, trust: Trust
) -> tuple[list[Finding], list[str]]:
    """Return dose, kidney and pregnancy findings, and what of these could not be checked."""
    findings: list[Finding] = []
    gaps = Gaps()
    for medicine in medicines:
        if medicine.is_local or medicine.route == "inhaled":
            continue
        for ingredient in medicine.drug.ingredients:
            if medicine.fact is not None:
                findings += _doses(medicine, ingredient, patient, gaps, trust)
            findings += _renal(medicine, ingredient, patient, gaps, trust)
            findings += _pregnancy(medicine, ingredient, patient, gaps, trust)
    return findings, gaps.lines()


def _doses(medicine: Medicine, ingredient: str, patient: PatientState, gaps: Gaps, trust: Trust) -> Iterator[Finding]:
    limits = rules_of(trust).doses.get(ingredient, ())
    fitting = [row for row in limits if row.content["route"] != "oral" or medicine.route in ("oral", "systemic")]
    if not fitting:
        if not rules_of(trust).is_empty(tables.DOSE_LIMITS):
            gaps.add("dose", medicine.label, "no dose limit of the table fits")
        return
    if not patient.ages:
        gaps.add("dose", medicine.label, "no birth date is recorded")
        return
    row = next((one for one in fitting if all(_in_band(one.content, age) for age in patient.ages)), None)
    if row is None:
        gaps.add("dose", medicine.label, "no dose limit of the table is for this age")
        return
    dose = medicine.doses.get(ingredient)
    if dose is None or dose.single_mg is None:
        gaps.add("dose", medicine.label, dose.why_not if dose else "no dose is recorded")
        return
    if dose.daily_mg is None and {"daily_mg", "weekly_mg"} & set(row.content):
        gaps.add("daily dose", medicine.label, dose.why_not)
    for severity, words, cited in _above(row.content, dose, patient):
        note = f" ({row.content['note']})" if "note" in row.content else ""
        text = f"{medicine.label}: {words}{note}."
        yield made(
            "dose", severity, text, (*medicine.dose_cited, *cited), row=row, table=tables.DOSE_LIMITS, trust=trust
        )
    if "daily_mg_per_kg" in row.content and dose.daily_mg is not None and patient.weight_kg is None:
        gaps.add("dose by weight", medicine.label, "no weight of the last year is recorded")


def _in_band(content: Mapping[str, Any], age: int) -> bool:
    return bool(content["age_from"] <= age < content.get("age_to", 200))


def _above(
    limit: Mapping[str, Any], dose: Dose, patient: PatientState
) -> Iterator[tuple[Severity, str, tuple[tuple[Fact, Path], ...]]]:
    """Yield severity, words and further citations of every limit that the dose is above."""
    if dose.single_mg is None:
        return
    if "single_mg" in limit and dose.single_mg > limit["single_mg"]:
        yield Severity.SEVERE, f"single dose {_mg(dose.single_mg)} is above {_mg(limit['single_mg'])}", ()
    if dose.daily_mg is None or dose.per_day is None:
        return
    if "weekly_mg" in limit and "daily_mg" not in limit and dose.per_day >= _DAILY:
        yield Severity.CONTRAINDICATED, f"ordered {_mg(dose.single_mg)} on most days, not once a week", ()
    elif "weekly_mg" in limit and dose.daily_mg * 7 > _over(limit["weekly_mg"]):
        yield Severity.SEVERE, f"{_mg(dose.daily_mg * 7)} a week is above {_mg(limit['weekly_mg'])} a week", ()
    if "daily_mg" in limit and dose.daily_mg > _over(limit["daily_mg"]):
        yield (
            Severity.SEVERE,
            f"{_mg(dose.daily_mg)} a day is above the largest daily dose {_mg(limit['daily_mg'])}",
            (),
        )
    if "daily_mg_per_kg" in limit and patient.weight_kg is not None:
        weight, fact = patient.weight_kg
        if dose.daily_mg > _over(limit["daily_mg_per_kg"]) * weight:
            words = f"{_mg(dose.daily_mg)} a day is above {limit['daily_mg_per_kg']} mg/kg for {weight} kg"
            yield Severity.SEVERE, words, ((fact, fact.row.anchor),)


def _renal(medicine: Medicine, ingredient: str, patient: PatientState, gaps: Gaps, trust: Trust) -> Iterator[Finding]:
    limits = rules_of(trust).renal.get(ingredient, ())
    if not limits:
        return
    kidney = patient.kidney
    if isinstance(kidney, str):
        gaps.add("kidney function", medicine.label, kidney)
        return
    if kidney.stale:
        gaps.add("present kidney function", medicine.label, f"the latest value is over a year old ({kidney.words})")
    below = [row for row in limits if kidney.high < row.content["egfr_below"]]
    if not below:
        if any(kidney.low < row.content["egfr_below"] for row in limits):
            gaps.add("kidney function", medicine.label, f"{kidney.words} is no exact number")
        return
    row = min(below, key=lambda one: (one.content["egfr_below"], -SEVERITIES[one.content["level"]]))
    dose = medicine.doses.get(ingredient)
    if "daily_mg" in row.content and dose is not None and dose.daily_mg is not None:
        if dose.daily_mg <= _over(row.content["daily_mg"]):
            return
        ordered = f"; ordered {_mg(dose.daily_mg)} a day, the table has at most {_mg(row.content['daily_mg'])}"
    else:
        ordered = ""
    text = f"{medicine.label} with {kidney.words}: {row.content['text']}{ordered}."
    yield made(
        "renal", SEVERITIES[row.content["level"]], text, (*medicine.dose_cited, *kidney.cited),
        row=row, table=tables.RENAL_LIMITS, trust=trust,
    )  # fmt: skip


def _pregnancy(
    medicine: Medicine, ingredient: str, patient: PatientState, gaps: Gaps, trust: Trust
) -> Iterator[Finding]:
    rows = rules_of(trust).pregnancy.get(ingredient, ())
    if not rows or not patient.may_be_pregnant:
        return
    row: KnowledgeRow = max(rows, key=lambda one: SEVERITIES[one.content["level"]])
    if not patient.pregnancies:
        if SEVERITIES[row.content["level"]] >= Severity.SEVERE:
            gaps.add("pregnancy", medicine.label, "no pregnancy status is recorded")
        return
    text = f"{medicine.label} and a recorded pregnancy: {row.content['text']}."
    pregnant = tuple((fact, fact.row.name_path or fact.row.anchor) for fact in patient.pregnancies)
    yield made(
        "pregnancy", SEVERITIES[row.content["level"]], text, (*medicine.citations_from, *pregnant),
        row=row, table=tables.PREGNANCY, trust=trust,
    )  # fmt: skip


def _over(limit: float) -> Decimal:
    return Decimal(str(limit)) * _NEAR


def _mg(amount: Decimal | float) -> str:
    """Return an amount in the unit it reads best in."""
    number = Decimal(str(amount))
    if number < 1:
        return f"{_plain(number * 1000)} micrograms"
    return f"{_plain(number)} mg" if number < 10000 else f"{_plain(number / 1000)} g"


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')).normalize():f}"
