"""Weighs each criterion against the facts and the notes: for, against, or not documented."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clinical.domain.criteria.on_facts import outcome
from clinical.domain.criteria.on_notes import Stance, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.criteria.on_facts import Outcome
    from clinical.domain.criteria.on_notes import Told
    from clinical.domain.criteria.parse import CriteriaSet, Criterion
    from clinical.domain.facts.fact import Fact
    from clinical.domain.summary.notes_read import NotesRead


class Side(StrEnum):
    """Where a finding is listed."""

    FOR = "For"
    AGAINST = "Against"
    OPEN = "Not documented"


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion as the record bears on it, by facts or by one sentence of a note.

    `present` is whether the finding itself is there; None when nothing tells. On the open side `outcome` or `said`
    may hold what was near: a result that is too old, a sentence that only considers it.
    """

    criterion: Criterion
    side: Side
    present: bool | None
    outcome: Outcome | None = None
    said: Told | None = None


def weigh(criteria: CriteriaSet, facts: Sequence[Fact], notes: NotesRead, today: date) -> list[Finding]:
    """Return the findings in the order of the criteria.

    Facts decide before notes. Where a fact says one thing and a note another, both are listed. A criterion with a
    test that is met by one alternative is there, whatever the others say.
    """
    return [finding for one in criteria.criteria for finding in _weighed(one, facts, notes, today)]


def _weighed(criterion: Criterion, facts: Sequence[Fact], notes: NotesRead, today: date) -> list[Finding]:
    outcomes = [outcome(test, facts, today) for test in criterion.tests]
    met = [one for one in outcomes if one.met]
    failed = [one for one in outcomes if one.met is False]
    by_facts = next(iter(met or failed), None)
    said = told(criterion, notes, today)
    firm = [one for one in said if one.stance in (Stance.SAID, Stance.DENIED)]
    found = []
    if by_facts is not None:
        present = bool(met)
        found.append(Finding(criterion, _side(criterion, present=present), present, outcome=by_facts))
        # What a note says in the same sense adds nothing to a measured value; what contradicts it is shown.
        firm = [one for one in firm if (one.stance is Stance.SAID) != present] if _measured(criterion) else firm
    for one in firm:
        present = one.stance is Stance.SAID
        found.append(Finding(criterion, _side(criterion, present=present), present, said=one))
    if not found:
        near = next((one for one in outcomes if one.facts), None)
        found.append(Finding(criterion, Side.OPEN, None, outcome=near, said=next(iter(said), None)))
    return found


def _measured(criterion: Criterion) -> bool:
    return any(test.kind in ("measure", "rise", "ratio", "persists", "age", "sex") for test in criterion.tests)


def _side(criterion: Criterion, *, present: bool) -> Side:
    return Side.FOR if (criterion.speaks == "for") == present else Side.AGAINST
