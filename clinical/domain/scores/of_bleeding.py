"""HAS-BLED from a patient's record."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.measurements import number_of, row_of
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.route.sentences import cites
from clinical.domain.scores.case import ADULT
from clinical.domain.scores.evidence import State, finding, medicines
from clinical.domain.scores.history import Counted, count, places, total_of, worth
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from clinical.domain.facts.fact import Fact
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.judgements import ItemRow

_ELDERLY: Final = 65
_SYSTOLIC: Final = Decimal(160)
_CREATININE: Final = Decimal(200) / Decimal("88.4")  # 200 umol/L in mg/dL
_ENZYMES: Final = ("alt", "ast", "alp")
_WARFARIN: Final = ("warfarin", "acenocoumarol", "phenprocoumon")
_ZERO, _ONE = Decimal(0), Decimal(1)


def answer_bleeding_risk(case: Case) -> ScoreAnswer:
    """Calculate HAS-BLED, one point an item; what is not documented counts 0 and the total is "at least"."""
    unsuitable = case.unsuitable(youngest=ADULT, pregnant=False, on=case.now)
    if unsuitable is not None:
        return unsuitable
    years = case.age_on(case.now.date(), shown=False)
    if isinstance(years, ScoreAnswer):
        return years
    counted = []
    for item in case.items:
        if item.key == "age":
            points = Decimal(int(years > _ELDERLY))
            case.sheet.line(f"Age {years}: {worth(points)}.", case.person.cites("birthDate"))
            counted.append(Counted(points, known=True))
            continue
        by_value = _OTHERS[item.key](case, item) if item.key in _OTHERS and item.key not in case.stated else None
        counted.append(count(case, item, others=by_value))
        if not counted[-1].known and item.key in ("labile-inr", "alcohol"):
            case.sheet.ask(item.judgement())
    total, shown = total_of(counted)
    if finding(case.facts, ["atrial-fibrillation"], now=case.now, history=True).state is not State.PRESENT:
        case.sheet.limit("The score was made for atrial fibrillation, which is not recorded.")
    if any(not one.known for one in counted):
        case.sheet.limit("Items not documented count 0 here; that is not the same as recorded absent.")
    return computed(case.sheet, case.formula, case.trust, shown, banded("hasbled", total, case.trust))


def _hypertension(case: Case, item: ItemRow) -> Counted | None:
    return _beyond(case, item, "systolic", lambda value: value > _SYSTOLIC)


def _renal(case: Case, item: ItemRow) -> Counted | None:
    if finding(case.facts, item.evidence, now=case.now, history=True).state is State.PRESENT:
        return None
    return _beyond(case, item, "creatinine", lambda value: value >= _CREATININE)


def _beyond(case: Case, item: ItemRow, key: str, test: Callable[[Decimal], bool]) -> Counted | None:
    """Count by the newest value of the last year: a value within the bound is a recorded absence."""
    recent = [one for one in case.held.numbers(key) if case.now - one.row.effective_sort <= case.formula.limit]
    for one in recent[:1]:
        points = _ONE if test(one.value) else _ZERO
        case.sheet.line(f"{item.label}: {one.shown(case.now)}: {worth(points)}.", one.places)
        return Counted(points, known=True)
    return None


def _liver(case: Case, item: ItemRow) -> Counted | None:
    """Count by bilirubin and an enzyme of one week against the ranges of the day; without them nothing is known."""
    if finding(case.facts, item.evidence, now=case.now, history=True).state is State.PRESENT:
        return None
    bilirubin = _newest(case, "bilirubin")
    if bilirubin is None:
        return None
    times = _times_upper(bilirubin)
    near = [fact for key in _ENZYMES for fact in case.held.held(key) if _within(fact, bilirubin, case.formula.window)]
    raised = [(fact, _times_upper(fact)) for fact in near]
    known = [(fact, factor) for fact, factor in raised if factor is not None]
    if times is None or not known:
        return None
    fact, factor = max(known, key=lambda pair: pair[1])
    points = _ONE if times > 2 and factor > 3 else _ZERO
    shown = f"bilirubin {times:.1f} times, {fact.row.text} {factor:.1f} times the upper limit of its range"
    case.sheet.line(f"{item.label}: {shown}: {worth(points)}.", (*cites(bilirubin), *cites(fact)))
    return Counted(points, known=True)


def _bleeding(case: Case, item: ItemRow) -> Counted | None:
    """Count an active anaemia as a predisposition where no bleeding is recorded."""
    if finding(case.facts, item.evidence, now=case.now, history=True).state is State.PRESENT:
        return None
    anaemia = finding(case.facts, ["anaemia"], now=case.now, history=False)
    if anaemia.state is not State.PRESENT:
        return None
    names = "; ".join(fact.row.text for fact in anaemia.facts)
    case.sheet.line(f"{item.label}: {names}: 1 point.", places(anaemia.facts))
    return Counted(_ONE, known=True)


def _labile(case: Case, item: ItemRow) -> Counted | None:
    """Count 0 without a vitamin K antagonist among the standing orders; with one it is a judgement."""
    held = [fact for name in _WARFARIN for fact in medicines(case.facts, [name], today=case.now.date())]
    if held or not _has_orders(case):
        return None
    case.sheet.line(f"{item.label}: no vitamin K antagonist among the standing orders: 0 points.")
    return Counted(_ZERO, known=True)


def _drugs(case: Case, item: ItemRow) -> Counted | None:
    """Count standing orders of an antiplatelet medicine or NSAID; over-the-counter use is not seen."""
    found = medicines(case.facts, ["antiplatelet", "nsaid"], today=case.now.date())
    if found:
        names = "; ".join(fact.row.text for fact in found)
        case.sheet.line(f"{item.label}: {names}: 1 point.", places(found))
        return Counted(_ONE, known=True)
    if not _has_orders(case):
        return None
    case.sheet.line(f"{item.label}: none among the standing orders: 0 points.")
    case.sheet.limit("Medicines bought without a prescription are seen only where they are recorded.")
    return Counted(_ZERO, known=True)


def _has_orders(case: Case) -> bool:
    """Whether the record holds any medicine: without one, "none among the orders" would say nothing."""
    return bool(of_kind(case.facts, MedicationRow))


_OTHERS: Final[dict[str, Callable[[Case, ItemRow], Counted | None]]] = {
    "hypertension": _hypertension,
    "renal": _renal,
    "liver": _liver,
    "bleeding": _bleeding,
    "labile-inr": _labile,
    "drugs": _drugs,
}


def _newest(case: Case, key: str) -> Fact | None:
    recent = [fact for fact in case.held.held(key) if case.now - fact.row.effective_sort <= case.formula.limit]
    return recent[0] if recent else None


def _within(fact: Fact, other: Fact, window: timedelta) -> bool:
    return abs(fact.row.effective_sort - other.row.effective_sort) <= window


def _times_upper(fact: Fact) -> Decimal | None:
    """Return how many times the upper limit of the range of the day a result is; None without a range in its unit."""
    row = row_of(fact)
    number = number_of(row)
    for bounds in row.ranges:
        same = not bounds.ucum or bounds.ucum == row.value.ucum
        try:
            if number is not None and same and bounds.high and Decimal(bounds.high) > 0:
                return number / Decimal(bounds.high)
        except InvalidOperation:
            continue
    return None
