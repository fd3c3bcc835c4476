"""Draft orders in the shapes that clients send them: by id, fullUrl or whole URL, with Medications beside or inside.

Source: CDS Hooks hook definitions order-select 1.0 and order-sign 1.1 (`selections`, `draftOrders`); HL7 FHIR R4
4.0.1, Bundle.entry.fullUrl and MedicationRequest.medication[x].
"""

from __future__ import annotations

from typing import Any

import pytest

from tests import cds_client
from tests.cds_client import SERVER, Machines, hook, order, reason
from tests.factories import bundle, patient, take_in

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])
DRUG = "urn:uuid:0b0f5c0e-4b1c-4f38-9c58-6f7a8a0f1d01"
ORDER = "urn:uuid:0b0f5c0e-4b1c-4f38-9c58-6f7a8a0f1d02"
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "Amoxicillin 500 mg capsule"}}


def allergy() -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        },
        "code": {"text": "Penicillin"},
        "patient": {"reference": "Patient/amina"},
    }


def drafts(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def select(selections: list[str], *entries: dict[str, Any]) -> dict[str, Any]:
    return hook("order-select", context={"selections": selections, "draftOrders": drafts(*entries)})


def by_reference(reference: str) -> dict[str, Any]:
    made = order(medicationReference={"reference": reference})
    del made["medicationCodeableConcept"]
    return made


@pytest.fixture(autouse=True)
def _record(machines: Machines) -> None:
    del machines
    take_in(bundle(patient(), allergy()))


def warned(cards: list[dict[str, Any]]) -> bool:
    return any("enicillin" in card["summary"] + card.get("detail", "") for card in cards)


@pytest.mark.parametrize(
    "selection", ["draft-1", "MedicationRequest/draft-1", f"{SERVER}/MedicationRequest/draft-1", ORDER]
)
def test_an_order_is_selected_by_any_of_its_names(machines: Machines, selection: str) -> None:
    cards = machines.cards("order-select", select([selection], {"fullUrl": ORDER, "resource": order()}))

    assert warned(cards)


def test_an_order_without_an_id_is_selected_by_its_full_url(machines: Machines) -> None:
    nameless = order()
    del nameless["id"]

    assert warned(machines.cards("order-select", select([ORDER], {"fullUrl": ORDER, "resource": nameless})))


def test_a_selection_of_nothing_that_is_there_is_refused(machines: Machines) -> None:
    reply = machines.call("order-select", select(["MedicationRequest/other"], {"resource": order()}))

    assert (reply.status_code, reason(reply)) == (400, "bad-value")


@pytest.mark.parametrize("reference", [DRUG, "Medication/m1", f"{SERVER}/Medication/m1"])
def test_a_medication_beside_the_order_is_known_by_any_of_its_names(machines: Machines, reference: str) -> None:
    url = reference if reference != "Medication/m1" else DRUG
    entries = ({"fullUrl": url, "resource": MEDICATION}, {"resource": by_reference(reference)})

    assert warned(machines.cards("order-sign", hook("order-sign", context={"draftOrders": drafts(*entries)})))


def test_a_medication_inside_the_order_is_known(machines: Machines) -> None:
    inside = by_reference("#m1") | {"contained": [MEDICATION]}

    cards = machines.cards("order-sign", hook("order-sign", context={"draftOrders": drafts({"resource": inside})}))

    assert warned(cards)


def test_a_medication_that_is_nowhere_is_said_not_to_be_checked(machines: Machines) -> None:
    context = {"draftOrders": drafts({"resource": by_reference("Medication/nowhere")})}

    (card,) = machines.cards("order-sign", hook("order-sign", context=context))

    assert card["summary"].startswith("Not checked: ")
