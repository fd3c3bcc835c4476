"""Replies of the four services: cards as the standard has them, and none where there is nothing to say.

Source: CDS Hooks 2.0, "CDS Service Response"; invariants cds-resp-1 to 7 of the 3.0 ballot; hook definitions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from clinical.domain.cds.card import Card, Indicator
from clinical.domain.cds.markdown import plain_markdown
from tests import cds_client
from tests.cds_card_rules import check_reply
from tests.cds_client import ago, hook, order, reason, select, sign
from tests.factories import bundle, observation, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def allergy(text: str = "Penicillin", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        },
        "code": {"text": text},
        "patient": {"reference": "Patient/amina"},
        **more,
    }


def asked(machines: Machines, service: str, call: dict[str, Any]) -> list[dict[str, Any]]:
    reply = machines.call(service, call)
    assert reply.status_code == 200, reply.content
    return check_reply(json.loads(reply.content))


def test_a_quiet_patient_gets_an_empty_list(machines: Machines) -> None:
    """ "return a 200 HTTP response with an empty array of cards"."""
    take_in(bundle(patient(), observation(when=ago(hours=2))))
    reply = machines.call("patient-view", hook())
    assert (reply.status_code, json.loads(reply.content)) == (200, {"cards": []})


def busy() -> dict[str, Any]:
    lab: dict[str, Any] = {"interpretation": [{"coding": [{"code": "HH"}]}]}
    return bundle(
        patient(),
        observation("k", value=6.9, when=ago(hours=1), **lab),
        observation("n", value=121, when=ago(hours=1), loinc="2951-2", text="Sodium", **lab),
        observation("c", value=3, when=ago(hours=2), loinc="2160-0", text="Creatinine", unit="mg/dL",
                    interpretation=[{"coding": [{"code": "H"}]}]),
        allergy(),
        {"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
         "code": {"text": "CT head"}, "subject": {"reference": "Patient/amina"}, "authoredOn": ago(days=9)},
    )  # fmt: skip


def test_patient_view_has_at_most_two_cards_however_much_there_is(machines: Machines) -> None:
    take_in(busy())
    first, second = asked(machines, "patient-view", hook())
    assert first["indicator"] == "critical"
    assert "CT head" in second["detail"]
    assert "Creatinine" in second["detail"]


def test_a_new_call_gives_cards_of_their_own(machines: Machines) -> None:
    """Cards replace those of an earlier call: nothing refers back."""
    take_in(busy())
    before = {card["uuid"] for card in asked(machines, "patient-view", hook())}
    assert not before & {card["uuid"] for card in asked(machines, "patient-view", hook())}


def test_a_draft_against_a_recorded_allergy_is_a_card(machines: Machines) -> None:
    take_in(bundle(patient(), allergy()))
    card, unchecked = asked(machines, "order-sign", sign(order()))
    assert card["indicator"] in ("warning", "critical")
    assert "dose" in unchecked["summary"]  # the draft gives none
    assert "AllergyIntolerance/a1" in card["detail"]
    assert card["overrideReasons"]


def test_a_covered_draft_without_finding_gets_no_card(machines: Machines) -> None:
    take_in(bundle(patient(), allergy()))
    paracetamol = order("Paracetamol 500 mg tablet", dosageInstruction=[{"text": "1 tablet twice daily"}])
    assert asked(machines, "order-sign", sign(paracetamol)) == []


def test_findings_of_the_standing_medicines_alone_are_not_repeated(machines: Machines) -> None:
    standing = [
        order(name, logical_id=name) | {"status": "active"}
        for name in ("Warfarin 3 mg tablet", "Ibuprofen 400 mg tablet")
    ]
    take_in(bundle(patient(), allergy(), *standing))
    paracetamol = order("Paracetamol 500 mg tablet", dosageInstruction=[{"text": "1 tablet once daily"}])
    for card in asked(machines, "order-sign", sign(paracetamol)):
        assert "this draft" in card["detail"] or "Paracetamol" in card["summary"]


@pytest.mark.parametrize(
    "draft",
    [
        order("Zzyzxamab 40 mg injection"),
        {"resourceType": "NutritionOrder", "id": "n1", "status": "draft", "patient": {"reference": "Patient/amina"}},
        {"resourceType": "ServiceRequest", "id": "s1", "status": "draft", "code": {"text": "MRI knee"}},
        order("") | {"medicationCodeableConcept": {}},
    ],
)
def test_an_order_the_table_does_not_cover_gets_one_info_card(machines: Machines, draft: dict[str, Any]) -> None:
    take_in(bundle(patient(), allergy()))
    (card,) = asked(machines, "order-sign", sign(draft))
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Not checked: ")
    assert "safe" not in json.dumps(card).lower().replace("safety", "")


def test_order_select_reports_on_the_selected_order_and_counts_the_other_drafts(machines: Machines) -> None:
    take_in(bundle(patient(), allergy("Codeine")))
    both = [order("Warfarin 3 mg tablet", logical_id="w"), order("Ibuprofen 400 mg tablet", logical_id="i")]
    chosen = asked(machines, "order-select", select(*both, chosen=["MedicationRequest/i"]))
    assert any("arfarin" in card["summary"] for card in chosen)
    alone = order("Loratadine 10 mg tablet", logical_id="p", dosageInstruction=[{"text": "1 tablet once daily"}])
    assert asked(machines, "order-select", select(*both, alone, chosen=["p"])) == []


def test_a_changed_order_is_not_a_duplicate_of_itself(machines: Machines) -> None:
    standing = order("Warfarin 3 mg tablet", logical_id="w1") | {"status": "active"}
    take_in(bundle(patient(), allergy(), standing))
    changed = order("Warfarin 5 mg tablet", logical_id="w1")
    renewed = order("Warfarin 5 mg tablet", priorPrescription={"reference": "MedicationRequest/w1"})
    second = order("Warfarin 5 mg tablet", logical_id="w2")
    assert not duplicates(asked(machines, "order-sign", sign(changed)))
    assert not duplicates(asked(machines, "order-sign", sign(renewed)))
    assert duplicates(asked(machines, "order-sign", sign(second)))


def duplicates(cards: list[dict[str, Any]]) -> list[str]:
    return [card["summary"] for card in cards if "duplicates" in card.get("detail", "")]


def test_a_draft_for_another_patient_is_said_to_be(machines: Machines) -> None:
    take_in(bundle(patient(), allergy()))
    other = order("Paracetamol 500 mg tablet", subject={"reference": "Patient/bea"})
    (card,) = [card for card in asked(machines, "order-sign", sign(other)) if card["indicator"] == "info"]
    assert "another patient" in card["detail"]


def test_long_text_is_cut_in_the_summary_and_whole_in_the_detail() -> None:
    """Summaries have fewer than 140 characters; 200 are a trap."""
    text = " ".join(f"word{number}" for number in range(60))
    card = Card(text, Indicator.INFO, "Source").as_json(links=(), reasons=())
    assert len(card["summary"]) < 140
    assert card["summary"].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert text in card["detail"]
    assert "overrideReasons" not in card
    assert "links" not in card


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "![x](http://evil.example/p.png)",
        "[click](https://evil.example)",
        "https://evil.example www.evil.example a@evil.example",
        "**bold** _soft_ `code` ~~out~~",
        "# heading",
        "1. first",
        "- item",
        "> quote",
        "| a | b |",
        "a\n\n# b\r\n***",
        "&lt;b&gt; \\",
    ],
)
def test_the_records_words_are_no_markup(text: str) -> None:
    """Detail is GitHub Flavored Markdown: what is data renders as itself, without links, images or blocks."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(plain_markdown(text))
    assert html.startswith("<p>")
    assert html.count("<") == 2
    assert "://" not in plain_markdown(text)


def test_markup_in_a_draft_stays_text(machines: Machines) -> None:
    take_in(bundle(patient(), allergy()))
    (card,) = asked(machines, "order-sign", sign(order("<img src=x onerror=alert(1)> [a](http://evil.example)")))
    html = MarkdownIt("commonmark").render(card["detail"])
    assert "<img" not in html
    assert "<a " not in html


def test_a_record_without_anything_is_412(machines: Machines) -> None:
    from clinical.identity.services import patient_of_reference

    patient_of_reference("", "empty")
    reply = machines.call("patient-view", hook(patient="empty"))
    assert (reply.status_code, reason(reply)) == (412, "empty-record")
