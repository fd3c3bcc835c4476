"""Wells scores for DVT and PE: judgements of the clinician, with what the record holds beside them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ProcedureRow
from clinical.domain.scores.case import ADULT
from clinical.domain.scores.evidence import State, finding
from clinical.domain.scores.history import Counted, count, held_for, places, total_of, worth
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed

if TYPE_CHECKING:
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.judgements import ItemRow

_FAST: Final = Decimal(100)
_RECENT: Final = {"wells-dvt": timedelta(weeks=12), "wells-pe": timedelta(weeks=4)}
_SURGERY_ITEMS: Final = frozenset({"bedridden", "immobile"})


def answer_wells(case: Case) -> ScoreAnswer:
    """Calculate a Wells score once every judgement is stated or documented; otherwise ask for what is missing."""
    unsuitable = case.unsuitable(youngest=ADULT, pregnant=True, on=case.now)
    if unsuitable is not None:
        return unsuitable
    counted, unknown = [], []
    for item in case.items:
        rate = _heart_rate(case, item)
        if rate is not None:
            counted.append(rate)
        elif item.key in case.stated or (
            item.evidence and held_for(case, item).state in (State.PRESENT, State.REFUTED)
        ):
            counted.append(count(case, item))
        else:
            unknown.append(item)
            _hint(case, item)
    for item in unknown:
        case.sheet.ask(item.judgement())
    if unknown:
        names = "; ".join(item.label for item in unknown)
        return case.refuse("judgements", f"{len(unknown)} of {len(case.items)} items have to be judged: {names}")
    total, shown = total_of(counted)
    return computed(case.sheet, case.formula, case.trust, shown, banded(case.score, total, case.trust))


def _heart_rate(case: Case, item: ItemRow) -> Counted | None:
    """Count the newest heart rate of the last 24 hours."""
    if item.key != "heart-rate" or item.key in case.stated:
        return None
    recent = [one for one in case.held.numbers("heart-rate") if case.now - one.row.effective_sort <= case.formula.limit]
    for one in recent[:1]:
        points = Decimal(item.points) if one.value > _FAST else Decimal(0)
        case.sheet.line(f"{item.label}: {one.shown(case.now)}: {worth(points)}.", one.places)
        return Counted(points, known=True)
    return None


def _hint(case: Case, item: ItemRow) -> None:
    """Show what the record holds near an item that is a judgement; it does not decide it."""
    if item.hint:
        held = finding(case.facts, item.hint, now=case.now, history=True)
        if held.state is State.PRESENT:
            names = "; ".join(f"{fact.row.text} ({display_date(fact.row.effective)})" for fact in held.facts)
            case.sheet.limit(f"In the record, for {item.label.lower()}: {names}.", places(held.facts))
    if item.key in _SURGERY_ITEMS:
        since = case.now - _RECENT[case.score]
        recent = [
            fact
            for fact in case.facts
            if isinstance(fact.row, ProcedureRow)
            and fact.row.status == "completed"
            and since <= fact.row.effective_sort <= case.now
        ]
        for fact in recent[:3]:
            case.sheet.limit(
                f"In the record, for recent surgery: {fact.row.text} ({display_date(fact.row.effective)}).",
                places([fact]),
            )
