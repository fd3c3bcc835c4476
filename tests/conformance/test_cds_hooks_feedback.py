"""Feedback of CDS Hooks 2.0: batches, repeats, and what an item must hold.

Source: CDS Hooks 2.0, "Feedback"; invariants cds-fb-2 and cds-fb-3 of the 3.0 ballot.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clinical.models import AuditEvent, CardFeedback, CardGiven
from tests import cds_client
from tests.cds_client import ago, element, hook, reason, token
from tests.factories import bundle, observation, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])

CRITICAL: dict[str, Any] = {"interpretation": [{"coding": [{"code": "HH"}]}]}
COMMENT = "Sample was haemolysed, repeated"


@pytest.fixture
def card(machines: Machines) -> str:
    """A card about a critical potassium, just given."""
    take_in(bundle(patient(), observation(value=6.9, when=ago(hours=1), **CRITICAL)))
    (only,) = machines.cards("patient-view", hook())
    return str(only["uuid"])


def overridden(card: str, **more: Any) -> dict[str, Any]:
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": ago(seconds=5), **more}


def explained(card: str) -> dict[str, Any]:
    why = {"reason": {"code": "known", "system": "urn:x"}, "userComment": COMMENT}
    return overridden(card, overrideReason=why)


def test_an_override_is_kept_and_on_the_trail(machines: Machines, card: str) -> None:
    reply = machines.feedback("patient-view", explained(card))
    assert reply.status_code == 200
    held = CardFeedback.objects.get()
    assert (str(held.card_id), held.outcome, held.reason_code) == (card, "overridden", "known")
    row = AuditEvent.objects.get(action="cds.feedback")
    assert (row.outcome, row.user_id, row.detail["card"], row.detail["result"]) == (
        "SUCCESS", "demo-clinician", card, "overridden",
    )  # fmt: skip


def test_the_comment_is_encrypted_and_not_on_the_trail(machines: Machines, card: str) -> None:
    machines.feedback("patient-view", explained(card))
    assert COMMENT.encode() not in bytes(CardFeedback.objects.get().comment)
    assert all("haemolysed" not in json.dumps(row.detail) for row in AuditEvent.objects.all())


def test_an_override_without_reason_is_taken(machines: Machines, card: str) -> None:
    assert machines.feedback("patient-view", overridden(card)).status_code == 200


def test_a_repeat_changes_nothing_and_a_second_act_is_kept(machines: Machines, card: str) -> None:
    """ "a CDS Service may receive feedback for the same card instance multiple times"."""
    item = explained(card)
    first = machines.feedback("patient-view", item)
    again = machines.feedback("patient-view", item)
    assert (json.loads(first.content), json.loads(again.content)) == (
        {"stored": 1, "repeated": 0},
        {"stored": 0, "repeated": 1},
    )
    assert AuditEvent.objects.filter(action="cds.feedback").count() == 1
    machines.feedback("patient-view", overridden(card, outcomeTimestamp=ago(seconds=1)))
    assert CardFeedback.objects.count() == 2


def test_a_batch_is_taken_whole(machines: Machines, card: str) -> None:
    (other,) = machines.cards("patient-view", hook())
    accepted = {"card": other["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid4())}],
                "outcomeTimestamp": ago(seconds=1)}  # fmt: skip
    reply = machines.feedback("patient-view", overridden(card), accepted)
    assert json.loads(reply.content) == {"stored": 2, "repeated": 0}


def test_accepted_needs_its_suggestions(machines: Machines, card: str) -> None:
    """cds-fb-2: "If outcome is 'accepted', acceptedSuggestions SHALL be provided"."""
    empty: list[dict[str, Any]] = [{}, {"acceptedSuggestions": []}]
    for more in empty:
        reply = machines.feedback("patient-view", overridden(card) | {"outcome": "accepted"} | more)
        assert (reply.status_code, reason(reply), element(reply)) == (400, "missing", "feedback[0].acceptedSuggestions")


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"card": "x"}, "bad-value", "card"),
        ({"card": None}, "missing", "card"),
        ({"outcome": "ignored"}, "bad-value", "outcome"),
        ({"outcomeTimestamp": "yesterday"}, "bad-value", "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-03-01T10:00:00"}, "bad-value", "outcomeTimestamp"),
        ({"outcomeTimestamp": None}, "missing", "outcomeTimestamp"),
        ({"overrideReason": {}}, "missing", "overrideReason.reason"),  # cds-fb-3
        ({"overrideReason": {"reason": {"display": "why"}}}, "missing", "overrideReason.reason.code"),
        ({"overrideReason": {"userComment": "a" * 5000}}, "too-long", "overrideReason"),
        ({"acceptedSuggestions": ["x"]}, "wrong-type", "acceptedSuggestions"),
    ],
)
def test_an_item_that_is_wrong_refuses_the_call(
    machines: Machines, card: str, change: dict[str, Any], code: str, path: str
) -> None:
    reply = machines.feedback("patient-view", overridden(card), overridden(card) | change)
    assert (reply.status_code, reason(reply), element(reply)) == (400, code, f"feedback[1].{path}")
    assert CardFeedback.objects.count() == 0


def test_without_items_there_is_nothing_to_take(machines: Machines) -> None:
    assert reason(machines.feedback("patient-view")) == "missing"
    path = f"{cds_client.DISCOVERY}/patient-view/feedback"
    assert machines.request("POST", path, {"feedback": {}}, bearer=token(path)).status_code == 400


def test_an_unknown_card_is_named_and_the_known_ones_are_kept(machines: Machines, card: str) -> None:
    """So that the same call can be sent again without harm."""
    reply = machines.feedback("patient-view", overridden(str(uuid4())), overridden(card))
    assert (reply.status_code, reason(reply), element(reply)) == (404, "unknown-card", "feedback[0].card")
    assert CardFeedback.objects.count() == 1
    assert AuditEvent.objects.filter(action="cds.feedback", outcome="REFUSED").count() == 1


def test_a_card_of_another_service_or_client_is_unknown(machines: Machines, card: str) -> None:
    assert machines.feedback("order-sign", overridden(card)).status_code == 404
    CardGiven.objects.update(issuer="https://other.internal/")
    assert machines.feedback("patient-view", overridden(card)).status_code == 404


def test_an_overridden_card_stays_quiet_for_its_user_until_the_record_says_something_new(
    machines: Machines, card: str, settings: Any
) -> None:
    machines.feedback("patient-view", overridden(card))
    assert machines.cards("patient-view", hook()) == []
    take_in(bundle(observation("k2", value=7.1, when=ago(minutes=5), **CRITICAL)))
    (news,) = machines.cards("patient-view", hook())
    assert "7.1" in news["summary"]
    machines.feedback("patient-view", overridden(news["uuid"]))
    assert machines.cards("patient-view", hook()) == []
    settings.CLINICAL_CDS_QUIET_HOURS = 0
    assert machines.cards("patient-view", hook()) != []


def test_an_override_by_another_user_keeps_nothing_quiet(machines: Machines, card: str) -> None:
    CardGiven.objects.filter(id=card).update(user_id="somebody-else")
    machines.feedback("patient-view", overridden(card))
    assert machines.cards("patient-view", hook()) != []


def test_an_accepted_card_is_not_kept_quiet(machines: Machines, card: str) -> None:
    item = overridden(card) | {"outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]}
    assert machines.feedback("patient-view", item).status_code == 200
    assert machines.cards("patient-view", hook()) != []
