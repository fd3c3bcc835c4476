"""What is open when a stay ends: pending results, and medicines on which nothing was decided.

The record shows what was written down, not what was considered, so a card names what it found and what it could not
compare, and never says that anything was forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.cds.card import Card, Indicator
from clinical.domain.cds.markdown import bullets
from clinical.domain.cds.matters import SOURCE
from clinical.domain.facts.events import after
from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.medications import is_active
from clinical.domain.facts.naming import drug_words, plain
from clinical.domain.facts.render import render
from clinical.domain.facts.reports import pending
from clinical.domain.projection.dates import UNDATED, display_date, lower_bound
from clinical.domain.projection.rows import EncounterRow, MedicationRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.domain.facts.fact import Fact

_LISTED: Final = frozenset({"MedicationRequest", "MedicationStatement"})
_QUESTION: Final = "What are the active medications?"


def discharge_cards(facts: Sequence[Fact], *, encounter: str, now: datetime) -> list[Card]:
    """Return the cards of a discharge.

    Args:
        facts: all current facts of one patient that may be read.
        encounter: "Encounter/<id>" of the stay that ends.
        now: timezone-aware.
    """
    cards = []
    waiting = pending(facts)
    if waiting:
        names = "; ".join(dict.fromkeys(fact.row.text for fact in waiting))
        cards.append(
            Card(
                summary=f"{len(waiting)} pending at discharge: {names}",
                indicator=Indicator.WARNING,
                source=SOURCE,
                detail=bullets([f"{render(fact)} ({fact.resource})" for fact in waiting]),
                question="What is pending?",
            )
        )
    return [*cards, *_medicines(facts, encounter, now)]


def _medicines(facts: Sequence[Fact], encounter: str, now: datetime) -> list[Card]:
    admitted, left = _stay(facts, encounter)
    active = [(fact, row) for fact, row in of_kind(facts, MedicationRow) if is_active(row, today=now.date())]
    if admitted is None:
        if not active:
            return []
        said = "Not checked: medicines against the admission, because its start is not in the record held here"
        return [Card(said, Indicator.INFO, SOURCE, question=_QUESTION)]
    undecided = [
        fact for fact, row in active if _begun(row) < admitted and not _decided(facts, fact, row, since=admitted)
    ]
    begun = [fact for fact, row in active if admitted <= _begun(row) <= (left or now) and not row.end]
    if not undecided and not begun:
        return []
    day = display_date(admitted.isoformat(timespec="minutes"), with_time=True)
    parts = []
    if undecided:
        parts.append(f"{len(undecided)} from before the admission without an entry since")
    if begun:
        parts.append(f"{len(begun)} begun in the stay without an end")
    lines = [
        f"From before the admission, and no entry since {day}: {render(fact)} ({fact.resource})" for fact in undecided
    ]
    lines += [f"Begun since {day}, no end recorded: {render(fact)} ({fact.resource})" for fact in begun]
    return [
        Card(
            summary=f"Medicines in force to be reconciled: {'; '.join(parts)}",
            indicator=Indicator.WARNING if undecided else Indicator.INFO,
            source=SOURCE,
            detail=f"{bullets(lines)}\n\nCompared by name; what was decided without an entry is not in the record\\.",
            question=_QUESTION,
        )
    ]


def _stay(facts: Sequence[Fact], encounter: str) -> tuple[datetime | None, datetime | None]:
    """Return when the stay began and when it ended; None where that is not recorded, or it goes on."""
    for fact, row in of_kind(facts, EncounterRow):
        if fact.resource == encounter and row.effective_sort != UNDATED:
            return row.effective_sort, after(row.end) if row.end else None
    return None, None


def _begun(row: MedicationRow) -> datetime:
    """Return the recorded start, else the date of the entry; an undated one counts as older than any stay."""
    start = lower_bound(row.start)
    return start if start != UNDATED else row.effective_sort


def _decided(facts: Sequence[Fact], about: Fact, order: MedicationRow, *, since: datetime) -> bool:
    """Return whether another order or statement of the same medicine, or a change of this one, is dated in the stay."""
    name = drug_words(order.text) or (plain(order.text),)
    if order.effective_sort >= since:
        return True
    for fact, row in of_kind(facts, MedicationRow):
        if fact == about or row.resource_type not in _LISTED:
            continue
        if (drug_words(row.text) or (plain(row.text),)) == name and max(
            row.effective_sort, lower_bound(row.end)
        ) >= since:
            return True
    return False
