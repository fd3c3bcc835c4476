"""Items of history and judgement: counted from the question and the record, and what is not documented is said."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import cites
from clinical.domain.scores.evidence import State, finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.evidence import Finding
    from clinical.domain.scores.judgements import ItemRow
    from clinical.domain.scores.outcome import Places


@dataclass(frozen=True, slots=True)
class Counted:
    """An item's points; `known` False when neither the question nor the record says whether it is so."""

    points: Decimal
    known: bool


def held_for(case: Case, item: ItemRow) -> Finding:
    """Return what the record's problems and procedures say about an item."""
    return finding(case.facts, item.evidence, now=case.now, history=item.history)


def count(case: Case, item: ItemRow, *, others: Counted | None = None) -> Counted:
    """Count an item as the question states it, else by its coded evidence, with a line that says which.

    `others` is what other evidence than coded problems (a laboratory value) has already given, with its own line.
    """
    held = held_for(case, item)
    stated = case.stated.get(item.key)
    full = Decimal(item.points)
    if stated is not None:
        points = full if stated == "yes" else Decimal(0)
        case.sheet.line(f"{item.label}: {stated}, as stated in the question: {worth(points)}.")
        if held.state is not State.SILENT:
            case.sheet.limit(f"{item.label}: {_said(held.state)}: {_names(held.facts)}.", places(held.facts))
        return Counted(points, known=True)
    if held.state is State.PRESENT:
        case.sheet.line(f"{item.label}: {_names(held.facts)}: {worth(full)}.", places(held.facts))
        return Counted(full, known=True)
    if others is not None:
        return others
    if held.state is State.SILENT:
        case.sheet.line(f"{item.label}: not documented (counted 0).")
        return Counted(Decimal(0), known=False)
    case.sheet.line(f"{item.label}: {_said(held.state)}: {_names(held.facts)} (counted 0).", places(held.facts))
    return Counted(Decimal(0), known=held.state is not State.DOUBTED)


def total_of(counted: Sequence[Counted]) -> tuple[Decimal, str]:
    """Return the total and how it is shown: "at least 3, on what is documented" when an item is not known."""
    total = sum((one.points for one in counted), Decimal(0))
    return total, f"{total}" if all(one.known for one in counted) else f"at least {total}, on what is documented"


def worth(points: Decimal) -> str:
    """Return "1 point", "1.5 points"."""
    return f"{points} point{'' if abs(points) == 1 else 's'}"


def places(facts: Sequence[Fact]) -> Places:
    """Return what cites the facts."""
    return tuple(place for fact in facts for place in cites(fact))


def _said(state: State) -> str:
    return "the record says so" if state is State.PRESENT else str(state.value)


def _names(facts: Sequence[Fact]) -> str:
    return "; ".join(f"{fact.row.text} ({_day(fact)})" for fact in facts)


def _day(fact: Fact) -> str:
    return display_date(fact.row.effective) or "undated"
