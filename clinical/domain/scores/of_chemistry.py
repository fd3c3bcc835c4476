"""BMI, corrected calcium, anion gap and MELD 3.0 from a patient's record."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import cites
from clinical.domain.scores.case import ADULT
from clinical.domain.scores.equations import Liver, anion_gap, body_mass_index, corrected_calcium, meld_3, rounded
from clinical.domain.scores.evidence import State, finding
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed
from clinical.domain.scores.person import pregnancy
from clinical.domain.scores.when import together

if TYPE_CHECKING:
    from clinical.domain.scores.case import Case

_DAY: Final = timedelta(days=1)
_TENTH: Final = Decimal("0.1")
_TO_SI: Final = Decimal("0.2495")
_LOWEST, _HIGHEST = Decimal(6), Decimal(40)


def answer_bmi(case: Case) -> ScoreAnswer:
    """Calculate BMI from the newest weight and a height: an adult's of up to five years, a child's of the same day."""
    unsuitable = case.unsuitable(youngest=0, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("weight", "height"), "weight and height")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    weight, height = chosen.found["weight"], chosen.found["height"]
    case.show([weight, height])
    grown = min(case.person.ages(height.row.effective_sort.date()), default=0) >= ADULT
    if not grown and not together(weight.row, height.row, _DAY):
        why = "the height was measured before 18, or at an unknown age, and not on the day of the weight"
        return case.refuse("missing", why)
    if case.now - weight.row.effective_sort > case.formula.limit:
        return case.refuse("stale", f"no weight since {display_date(weight.row.effective)}")
    exact = body_mass_index(weight=weight.value, height=height.value)
    index, band = rounded(exact, "0.1"), banded("bmi", exact.quantize(_TENTH, ROUND_DOWN), case.trust)
    if banded("bmi", index, case.trust) != band:
        index = rounded(exact, "0.01")  # 18.48 is below 18.5; as "18.5" it would contradict its band
    if not grown:
        band = ""
        case.sheet.limit("No band: the WHO's are for adults; under 18 it depends on age and sex.")
    elif pregnancy(case.facts, case.person, on=weight.row.effective_sort):
        band = ""
        case.sheet.limit("No band: pregnancy is recorded.")
    case.note_age([weight])
    case.note_later(chosen)
    return computed(
        case.sheet, case.formula, case.trust, f"{index} kg/m2 on {display_date(weight.row.effective)}", band
    )


def answer_calcium(case: Case) -> ScoreAnswer:
    """Correct calcium for albumin, both within 24 hours."""
    unsuitable = case.unsuitable(youngest=0, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("calcium", "albumin"), "calcium and albumin")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    calcium, albumin = chosen.found["calcium"], chosen.found["albumin"]
    case.show([calcium, albumin])
    corrected = corrected_calcium(calcium=calcium.value, albumin=albumin.value)
    payne = calcium.value - albumin.value + Decimal("4.0")
    case.note_age([calcium, albumin])
    case.note_later(chosen)
    case.sheet.limit(f"Payne's own equation of 1973 (calcium - albumin + 4.0) gives {rounded(payne, '0.1')} mg/dL.")
    case.sheet.limit("An estimate; ionised calcium decides, above all in critical illness and renal failure.")
    si = rounded(corrected * _TO_SI, "0.01")
    value = f"{rounded(corrected, '0.1')} mg/dL ({si} mmol/L) on {display_date(calcium.row.effective)}"
    return computed(case.sheet, case.formula, case.trust, value)


def answer_gap(case: Case) -> ScoreAnswer:
    """Calculate the anion gap without potassium, and with it where it is in the same set."""
    unsuitable = case.unsuitable(youngest=0, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("sodium", "chloride", "bicarbonate"), "electrolytes")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    sodium, chloride, bicarbonate = (chosen.found[key] for key in ("sodium", "chloride", "bicarbonate"))
    case.show([sodium, chloride, bicarbonate])
    gap = anion_gap(sodium=sodium.value, chloride=chloride.value, bicarbonate=bicarbonate.value)
    same = [one for one in case.held.numbers("potassium") if together(sodium.row, one.row, case.formula.window)]
    for one in same[:1]:
        case.show([one])
        case.sheet.limit(f"With potassium: {_tenths(gap + one.value)} mmol/L.")
    case.note_age([sodium, chloride, bicarbonate])
    case.note_later(chosen)
    case.sheet.limit("The normal value differs between laboratories, and falls with albumin; no band is given.")
    value = f"{_tenths(gap)} mmol/L without potassium, on {display_date(sodium.row.effective)}"
    return computed(case.sheet, case.formula, case.trust, value)


def answer_meld(case: Case) -> ScoreAnswer:
    """Calculate MELD 3.0 for an adult from values within 72 hours."""
    keys = ("bilirubin", "creatinine", "inr", "sodium", "albumin")
    unsuitable = case.unsuitable(youngest=ADULT, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(keys, "bilirubin, creatinine, INR, sodium and albumin")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    readings = [chosen.found[key] for key in keys]
    case.show(readings)
    sex = case.sex()
    if isinstance(sex, ScoreAnswer):
        return sex
    dialysis = _dialysis(case)
    if isinstance(dialysis, ScoreAnswer):
        return dialysis
    value = {key: one.value for key, one in chosen.found.items()}
    raw = meld_3(
        Liver(
            bilirubin=value["bilirubin"],
            creatinine=value["creatinine"],
            inr=value["inr"],
            sodium=value["sodium"],
            albumin=value["albumin"],
            female=sex == "female",
            dialysis=dialysis,
        )
    )
    score = min(_HIGHEST, max(_LOWEST, rounded(raw)))
    case.note_age(readings)
    case.note_later(chosen)
    case.sheet.limit("MELD 3.0 is another score than MELD and MELD-Na; no allocation exception is considered.")
    newest = max(readings, key=lambda one: one.row.effective_sort)
    return computed(case.sheet, case.formula, case.trust, f"{score} on {display_date(newest.row.effective)}")


def _tenths(value: Decimal) -> Decimal:
    """Return a value with one decimal at most: results of calculating interfaces carry a dozen."""
    return value if value == value.to_integral_value() else rounded(value, "0.1")


def _dialysis(case: Case) -> bool | ScoreAnswer:
    """Return whether dialysis was given twice in the week before the values; asked for where it is recorded at all."""
    stated = case.stated.get("dialysis")
    if stated is not None:
        case.sheet.line(f"Dialysis twice or more in the past week: {stated}, as stated in the question.")
        return stated == "yes"
    held = finding(case.facts, ["dialysis"], now=case.now, history=False)
    if held.state is State.PRESENT:
        for fact in held.facts:
            case.sheet.line(f"Recorded: {fact.row.text} on {display_date(fact.row.effective)}.", cites(fact))
        case.sheet.ask(case.items[0].judgement())
        return case.refuse("judgements", "dialysis is recorded, and whether twice or more in the past week is needed")
    case.sheet.limit("No dialysis is documented; given twice or more in the week, creatinine would count as 3.0 mg/dL.")
    return False
