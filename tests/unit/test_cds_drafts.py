"""Draft orders against a record: which findings and which gaps are about the draft."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from clinical.domain.cds.card import Indicator
from clinical.domain.cds.drafts import order_cards, read_drafts
from clinical.domain.provenance import DEMO, Trust
from tests.unit.fhir_builders import allergy, facts, medication

if TYPE_CHECKING:
    from clinical.domain.cds.card import Card
    from clinical.domain.facts import Fact

TODAY = date(2026, 3, 1)
CODEINE = allergy("Codeine")
PERSON = {"resourceType": "Patient", "id": "p", "birthDate": "1956-01-10", "gender": "female"}
ONCE = [{"text": "1 tablet once daily"}]


def draft(name: str, **more: Any) -> dict[str, Any]:
    about = {"subject": {"reference": "Patient/p"}, "dosageInstruction": ONCE}
    return medication(name, status="draft", id=name.split()[0].lower()) | about | more


def cards(held: list[Fact], *orders: dict[str, Any], chosen: tuple[str, ...] = (), trust: Trust = DEMO) -> list[Card]:
    selected = frozenset(chosen)
    drafts = read_drafts(orders, {}, patient_id="p", selected=selected)
    return order_cards(held, drafts, selected=selected, missing=(), today=TODAY, trust=trust)


def test_an_allergy_of_the_record_meets_the_draft() -> None:
    (card,) = cards(facts(allergy("Ibuprofen")), draft("Ibuprofen 400 mg tablet", dosageInstruction=[]))[:1]
    assert card.indicator in (Indicator.WARNING, Indicator.CRITICAL)
    assert "this draft" in card.detail


def test_two_drafts_meet_each_other() -> None:
    found = cards(facts(PERSON, CODEINE), draft("Warfarin 3 mg tablet"), draft("Ibuprofen 400 mg tablet"))
    assert any("Warfarin" in card.summary and "Ibuprofen" in card.summary for card in found)


def test_a_draft_that_says_do_not_give_is_not_checked_as_given() -> None:
    assert cards(facts(allergy("Ibuprofen")), draft("Ibuprofen 400 mg tablet", doNotPerform=True)) == []


def test_a_medicine_named_by_a_resource_sent_along_is_known() -> None:
    named = draft("x", medicationReference={"reference": "Medication/m1"})
    del named["medicationCodeableConcept"]
    related = {"Medication/m1": {"resourceType": "Medication", "code": {"text": "Ibuprofen 400 mg tablet"}}}
    known = read_drafts([named], related, patient_id="p", selected=frozenset())
    assert known.facts[0].row.text == "Ibuprofen 400 mg tablet"
    unknown = read_drafts([named], {}, patient_id="p", selected=frozenset())
    (card,) = order_cards(facts(PERSON, CODEINE), unknown, selected=frozenset(), missing=(), today=TODAY, trust=DEMO)
    assert card.summary.startswith("Not checked: ")


def test_gaps_of_other_medicines_and_of_foods_are_not_repeated() -> None:
    dust = allergy("House dust mite", category=["environment"])
    standing = medication("Zyzzyxol 5 mg tablet")
    assert cards(facts(PERSON, CODEINE, dust, standing), draft("Loratadine 10 mg tablet")) == []


def test_an_allergen_that_may_be_a_medicine_and_is_not_in_the_table_is_said() -> None:
    (card,) = cards(
        facts(PERSON, CODEINE, allergy("Zyzzyxol", category=["medication"])), draft("Loratadine 10 mg tablet")
    )
    assert card.summary == "Not checked: allergy to Zyzzyxol because it is not in the table"


def test_only_the_selected_draft_is_reported_on() -> None:
    both = [draft("Zyzzyxol 5 mg tablet"), draft("Loratadine 10 mg tablet")]
    assert cards(facts(PERSON, CODEINE), *both, chosen=("MedicationRequest/loratadine",)) == []
    assert len(cards(facts(PERSON, CODEINE), *both, chosen=("MedicationRequest/zyzzyxol",))) == 1


def test_on_a_site_without_approved_tables_everything_is_not_checked() -> None:
    (card,) = cards(
        facts(PERSON, CODEINE), draft("Warfarin 3 mg tablet"), draft("Ibuprofen 400 mg"), trust=Trust(site=True)
    )
    assert card.indicator is Indicator.INFO
    assert "no approved table" in card.summary


def test_many_findings_are_folded_and_none_is_lost() -> None:
    names = ("Warfarin", "Ibuprofen", "Aspirin", "Clopidogrel", "Apixaban", "Fluconazole", "Amiodarone")
    found = cards(facts(PERSON, CODEINE), *[draft(f"{name} 10 mg tablet") for name in names])
    folded = [card for card in found if "more findings" in card.summary]
    assert len(folded) == 1
    assert len(found) <= 8
    for name in names:
        assert any(name in card.summary + card.detail for card in found)
