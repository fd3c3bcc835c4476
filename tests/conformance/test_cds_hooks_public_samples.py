"""Hook requests and cards of public fixtures, sent as they are; only server, patient and user are registered here.

Source of the samples: Da Vinci CRD test kit, spec/fixtures. A hook that is not offered is told so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import cds_client
from tests.cds_card_rules import assert_card, check_reply
from tests.cds_client import DISCOVERY, reason, registration, token
from tests.factories import patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cds_hooks"
machines = cds_client.machines
pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here"),
]
OFFERED = {"patient-view", "order-select", "order-sign", "encounter-discharge"}
CALLS = sorted(SAMPLES.glob("*_hook_request.json")) if SAMPLES.is_dir() else []


@pytest.mark.parametrize("file", CALLS, ids=lambda file: file.stem)
def test_a_public_request_is_answered(machines: Machines, file: Path) -> None:
    call: dict[str, Any] = json.loads(file.read_text())
    context = call["context"]
    machines.register(registration(fhir_servers={call["fhirServer"]: ""}, users={context["userId"]: "demo-clinician"}))
    take_in(patient(context["patientId"]))
    hook = call["hook"]
    reply = machines.call(hook, call, bearer=token(f"{DISCOVERY}/{hook}"))
    if hook not in OFFERED:
        assert (reply.status_code, reason(reply)) == (404, "unknown-service")
        return
    assert reply.status_code == 200
    cards = check_reply(json.loads(reply.content))
    if "draftOrders" in context:
        said = " ".join(card["summary"] + card.get("detail", "") for card in cards)
        for entry in context["draftOrders"]["entry"]:
            if entry["resource"]["resourceType"] != "MedicationRequest":
                assert entry["resource"]["resourceType"] in said


@pytest.mark.parametrize("file", CALLS, ids=lambda file: file.stem)
def test_a_public_request_of_a_patient_not_held_here_is_412(machines: Machines, file: Path) -> None:
    call: dict[str, Any] = json.loads(file.read_text())
    machines.register(registration(users={call["context"]["userId"]: "demo-clinician"}))
    if call["hook"] in OFFERED:
        assert machines.call(call["hook"], call).status_code == 412


def test_our_reading_of_the_rules_takes_the_public_cards() -> None:
    """Otherwise the rules that our own cards are held to would be stricter or looser than the standard."""
    cards = json.loads((SAMPLES / "valid_cards.json").read_text())
    assert cards
    for card in cards:
        assert_card(card | {"uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719"})
