"""What is open at discharge: pending results, and medicines without a decision in the stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clinical.domain.cds.card import Card, Indicator
from clinical.domain.cds.discharge import discharge_cards
from tests.unit.fhir_builders import facts, medication, observation

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAY = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "in-progress",
    "class": {"code": "IMP"},
    "period": {"start": "2026-03-05T08:00:00Z"},
}


def cards(*resources: dict[str, Any]) -> list[Card]:
    return discharge_cards(facts(*resources), encounter="Encounter/e1", now=NOW)


def test_nothing_open_is_no_card() -> None:
    assert cards(STAY, medication("Metformin", on="2020-01-01", status="stopped")) == []


def test_a_pending_result_is_named() -> None:
    (card,) = cards(STAY, observation("Blood culture", None, status="registered", on="2026-03-09"))
    assert card.indicator is Indicator.WARNING
    assert card.summary == "1 pending at discharge: Blood culture"


def test_a_medicine_from_before_without_an_entry_since_is_named() -> None:
    (card,) = cards(STAY, medication("Metformin 500 mg tablet", on="2024-01-10"))
    assert "1 from before the admission without an entry since" in card.summary
    assert "Metformin" in card.detail
    assert card.indicator is Indicator.WARNING


def test_an_order_of_the_stay_for_the_same_medicine_is_a_decision() -> None:
    before = medication("Metformin 500 mg tablet", on="2024-01-10")
    for status in ("stopped", "on-hold", "completed"):
        later = medication("Metformin 500 mg tablet", on="2026-03-06", status=status)
        assert not [card for card in cards(STAY, before, later) if "from before" in card.summary]


def test_a_medicine_begun_in_the_stay_without_an_end_is_named() -> None:
    (card,) = cards(STAY, medication("Enoxaparin 40 mg", on="2026-03-06"))
    assert "1 begun in the stay without an end" in card.summary
    assert card.indicator is Indicator.INFO
    dated = medication("Enoxaparin 40 mg", on="2026-03-06")
    dated["dosageInstruction"] = [
        {"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-06", "end": "2026-03-12"}}}}
    ]
    assert cards(STAY, dated) == []


def test_what_was_begun_after_the_stay_is_not_of_the_stay() -> None:
    ended = STAY | {"status": "finished", "period": {"start": "2026-03-01T08:00:00Z", "end": "2026-03-03"}}
    assert cards(ended, medication("Enoxaparin 40 mg", on="2026-03-06")) == []
    assert len(cards(ended, medication("Enoxaparin 40 mg", on="2026-03-03"))) == 1


def test_a_stay_that_is_not_held_here_is_said_as_not_checked() -> None:
    (card,) = cards(medication("Metformin", on="2024-01-10"))
    assert card.summary.startswith("Not checked: medicines against the admission")
    assert cards() == []


def test_an_undated_medicine_counts_as_older_than_the_stay() -> None:
    (card,) = cards(STAY, {key: value for key, value in medication("Metformin").items() if key != "authoredOn"})
    assert "from before the admission" in card.summary
