"""eGFR, creatinine clearance and KDIGO stage from a patient's record."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ProcedureRow
from clinical.domain.route.sentences import cites
from clinical.domain.scores.case import ADULT
from clinical.domain.scores.equations import ckd_epi_2021, cockcroft_gault, rounded
from clinical.domain.scores.evidence import State, finding
from clinical.domain.scores.kidney_injury import WEEK, Creatinine, Injury, stage_by_creatinine, stage_by_urine, unsteady
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed

if TYPE_CHECKING:
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.inputs import Reading

_SEASON: Final = timedelta(days=90)
_MONTH: Final = timedelta(days=30)
_DAY: Final = timedelta(days=1)
_URINE_24_H: Final = "9192-6"
_STAGES: Final = {0: "no criterion of acute kidney injury met", 1: "stage 1", 2: "stage 2", 3: "stage 3"}


def answer_egfr(case: Case) -> ScoreAnswer:
    """Calculate eGFR by CKD-EPI 2021 from the newest creatinine; not in AKI, pregnancy, dialysis or under 18."""
    chosen = case.chosen(("creatinine",), "creatinine")
    if isinstance(chosen, ScoreAnswer):
        return case.unsuitable(youngest=ADULT, pregnant=True, on=case.now) or chosen
    creatinine = chosen.found["creatinine"]
    unsuitable = _unsuitable(case, creatinine)
    if unsuitable is not None:
        return unsuitable
    case.sheet.line(f"{creatinine.shown(case.now)}.", creatinine.places)
    sex, age = case.sex(), case.age_on(creatinine.row.effective_sort.date())
    if isinstance(sex, ScoreAnswer):
        return sex
    if isinstance(age, ScoreAnswer):
        return age
    rate = rounded(ckd_epi_2021(creatinine=creatinine.value, age=age, female=sex == "female"))
    case.note_age([creatinine])
    case.sheet.limit("An estimate for a steady state; one value makes no diagnosis of chronic kidney disease.")
    for fact in case.held.held("egfr")[:1]:
        shown = display_date(fact.row.effective)
        case.sheet.limit(f"The record also holds a reported eGFR, of {shown}; see there.", cites(fact))
    value = f"{rate} mL/min/1.73 m2 on {display_date(creatinine.row.effective)}"
    return computed(case.sheet, case.formula, case.trust, value, banded("egfr", rate, case.trust))


def answer_clearance(case: Case) -> ScoreAnswer:
    """Calculate Cockcroft-Gault from creatinine and a weight within 90 days of it."""
    chosen = case.chosen(("creatinine", "weight"), "creatinine and weight")
    if isinstance(chosen, ScoreAnswer):
        return case.unsuitable(youngest=ADULT, pregnant=True, on=case.now) or chosen
    creatinine, weight = chosen.found["creatinine"], chosen.found["weight"]
    unsuitable = _unsuitable(case, creatinine)
    if unsuitable is not None:
        return unsuitable
    case.show([creatinine, weight])
    sex, age = case.sex(), case.age_on(creatinine.row.effective_sort.date())
    if isinstance(sex, ScoreAnswer):
        return sex
    if isinstance(age, ScoreAnswer):
        return age
    clearance = cockcroft_gault(creatinine=creatinine.value, age=age, weight=weight.value, female=sex == "female")
    case.note_age([creatinine, weight])
    case.note_later(chosen)
    case.sheet.limit("By actual body weight; not adjusted for body surface, obesity or oedema.", weight.places)
    value = f"{rounded(clearance)} mL/min on {display_date(creatinine.row.effective)}"
    return computed(case.sheet, case.formula, case.trust, value)


def answer_injury(case: Case) -> ScoreAnswer:
    """Stage acute kidney injury from the creatinine values of the last 7 days, and urine output where recorded."""
    unsuitable = case.unsuitable(youngest=0, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("creatinine",), "creatinine")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    index = chosen.found["creatinine"]
    week = [
        one
        for one in case.held.numbers("creatinine")
        if timedelta(0) <= index.row.effective_sort - one.row.effective_sort <= WEEK
    ]
    case.show(week)
    held = finding(case.facts, ["dialysis"], now=case.now, history=False)
    recent = [fact for fact in held.facts if case.now - fact.row.effective_sort <= WEEK]
    if held.state is State.PRESENT and not recent:
        return case.refuse("not-applicable", "on dialysis, as recorded", tuple(p for f in held.facts for p in cites(f)))
    for fact in recent:
        case.sheet.line(f"Recorded: {fact.row.text} on {display_date(fact.row.effective)}.", cites(fact))
    by_urine = _by_urine(case)
    if len(week) == 1 and not recent and by_urine is None:
        return case.refuse("missing", "only one creatinine in the 7 days up to it, and no urine output recorded")
    injury = stage_by_creatinine(_value(index), [_value(one) for one in week], replacement=bool(recent))
    stage = max(injury.stage, by_urine or 0)
    falling = max(one.value for one in week) >= index.value + Decimal("0.3")
    _limits(case, injury, urine=by_urine is not None, falling=falling)
    case.note_age([index])
    value = f"{_STAGES[stage]} on {display_date(index.row.effective)}"
    band = f"Criteria met: {'; '.join(injury.criteria)}" if injury.criteria else ""
    return computed(case.sheet, case.formula, case.trust, value, band)


def _limits(case: Case, injury: Injury, *, urine: bool, falling: bool) -> None:
    if not urine:
        case.sheet.limit("Urine output is not recorded for the last 24 hours and not used.")
    if falling:
        case.sheet.limit("Creatinine was higher earlier in the week; an injury that is resolving is not staged.")
    if injury.baseline is not None:
        day = display_date(injury.baseline.at.date().isoformat())
        case.sheet.limit(
            f"Baseline: the lowest creatinine of the 7 days before, of {day}; an older one is not presumed."
        )
    ages = case.person.ages(case.now.date())
    if ages and ages[0] < ADULT:
        case.sheet.limit("Under 18 the criterion by a fall of eGFR below 35 mL/min/1.73 m2 is not applied.")


def _by_urine(case: Case) -> int | None:
    """Return the stage by a recorded 24-hour urine volume and a weight of the last 30 days; None without them."""
    volumes = [
        one
        for one in case.held.numbers("urine-output") + _volumes(case)
        if case.now - one.row.effective_sort <= 2 * _DAY
    ]
    weights = [one for one in case.held.numbers("weight") if case.now - one.row.effective_sort <= _MONTH]
    if not volumes or not weights:
        return None
    case.show([volumes[0], weights[0]])
    return stage_by_urine(volumes[0].value / Decimal(24) / weights[0].value, Decimal(24))


def _volumes(case: Case) -> list[Reading]:
    coded = [case.held.read("urine-output", fact) for fact in case.held.coded(_URINE_24_H)]
    return [one for one in coded if one is not None]


def _unsuitable(case: Case, creatinine: Reading) -> ScoreAnswer | None:
    """Return the refusal where creatinine does not stand for kidney function."""
    unsuitable = case.unsuitable(youngest=ADULT, pregnant=True, on=case.now)
    if unsuitable is not None:
        return unsuitable
    moment = creatinine.row.effective_sort
    week = [one for one in case.held.numbers("creatinine") if timedelta(0) <= moment - one.row.effective_sort <= WEEK]
    if unsteady([_value(one) for one in week]) is not None:
        case.show(week)
        why = "not valid while creatinine is changing (by 0.3 mg/dL within 48 hours or 1.5 times within 7 days)"
        return case.refuse("not-applicable", why)
    for concept, name in (("acute-kidney-injury", "acute kidney injury"), ("dialysis", "dialysis")):
        held = finding(case.facts, [concept], now=case.now, history=False)
        near = [fact for fact in held.facts if concept == "dialysis" or moment - fact.row.effective_sort <= _SEASON]
        over = [
            fact for fact in near if isinstance(fact.row, ProcedureRow) and case.now - fact.row.effective_sort > _SEASON
        ]
        current = [fact for fact in near if fact not in over]
        if held.state is State.PRESENT and current:
            for fact in current:
                case.sheet.line(f"Recorded: {fact.row.text}.", cites(fact))
            return case.refuse("not-applicable", f"not valid in {name}, which is recorded")
    return None


def _value(one: Reading) -> Creatinine:
    return Creatinine(one.value, one.row.effective_sort)
