"""CHA2DS2-VA and CHA2DS2-VASc from a patient's record."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.scores.case import ADULT
from clinical.domain.scores.evidence import State, finding
from clinical.domain.scores.history import Counted, count, places, total_of, worth
from clinical.domain.scores.judgements import answers_in, items_of
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed

if TYPE_CHECKING:
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.judgements import ItemRow

_SENIOR, _OLD = 65, 75
_REDUCED: Final = Decimal(40)


def age_points(age: int) -> int:
    """Return the points of an age in years: 2 from 75, 1 from 65."""
    return 2 if age >= _OLD else 1 if age >= _SENIOR else 0


def answer_stroke_risk(case: Case) -> ScoreAnswer:
    """Calculate the score for a patient with atrial fibrillation without a mechanical valve or mitral stenosis."""
    unsuitable = case.unsuitable(youngest=ADULT, pregnant=False, on=case.now) or _rhythm(case)
    if unsuitable is not None:
        return unsuitable
    years = case.age_on(case.now.date(), shown=False)
    if isinstance(years, ScoreAnswer):
        return years
    counted = []
    for item in case.items:
        if item.key == "age":
            counted.append(_counted(case, f"Age {years}", age_points(years), "birthDate"))
        elif item.key == "sex":
            sex = case.sex()
            if isinstance(sex, ScoreAnswer):
                return sex
            case.sheet.lines.pop()
            counted.append(_counted(case, f"Sex {sex}", int(sex == "female"), "gender"))
        else:
            counted.append(count(case, item, others=_ejection(case, item)))
    total, shown = total_of(counted)
    if any(not one.known for one in counted):
        case.sheet.limit("Items not documented count 0 here; that is not the same as recorded absent.")
    return computed(case.sheet, case.formula, case.trust, shown, banded(case.score, total, case.trust))


def _counted(case: Case, label: str, points: int, element: str) -> Counted:
    case.sheet.line(f"{label}: {worth(Decimal(points))}.", case.person.cites(element))
    return Counted(Decimal(points), known=True)


def _rhythm(case: Case) -> ScoreAnswer | None:
    """Return the refusal where the score does not apply: no atrial fibrillation recorded, or a mechanical valve."""
    valve = finding(case.facts, ["valve"], now=case.now, history=True)
    if valve.state is State.PRESENT:
        why = f"not for patients with a mechanical valve or mitral stenosis; recorded: {valve.facts[0].row.text}"
        return case.refuse("not-applicable", why, places(valve.facts))
    rhythm = finding(case.facts, ["atrial-fibrillation"], now=case.now, history=True)
    if rhythm.state is State.PRESENT:
        case.sheet.line(f"Applies: {rhythm.facts[0].row.text}.", places(rhythm.facts[:1]))
        return None
    if answers_in(case.question, "af").get("af") == "yes":
        case.sheet.line("Applies: atrial fibrillation, as stated in the question.")
        return None
    case.sheet.ask(items_of("af")[0].judgement())
    return case.refuse("judgements", "it is for atrial fibrillation, which is not recorded")


def _ejection(case: Case, item: ItemRow) -> Counted | None:
    """Return the point for an ejection fraction of 40 % or less; a higher one is shown and settles nothing."""
    if item.key != "heart-failure":
        return None
    recent = [one for one in case.held.numbers("lvef") if case.now - one.row.effective_sort <= case.formula.limit]
    for one in recent[:1]:
        if one.value <= _REDUCED:
            case.sheet.line(f"{item.label}: {one.shown(case.now)}: 1 point.", one.places)
            return Counted(Decimal(1), known=True)
        case.sheet.limit(f"{one.shown(case.now)}; heart failure is not documented.", one.places)
    return None
