"""Altered Bundles and notifications: each is answered below 500, as FHIR, and never breaks the next one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from django.utils import timezone

from ingestion.models import Subscription
from ingestion.subscriptions.receiver import seal_secret
from tests.factories import note, observation, patient
from tests.fhir_door import FhirDoor, fhir_door, transaction  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
ODD: list[Any] = [
    None,
    "",
    0,
    -1,
    1e400,
    True,
    [],
    {},
    "Patient/x",
    "\ud800",
    "x" * 5000,
    [[]],
    {"a": None},
    "2026-13-45",
]
ROUNDS = 150


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in below for place in _places(inner, (*path, key)))]


def _altered(body: dict[str, Any], chance: random.Random) -> bytes:
    """Change one value, drop one, or damage some bytes."""
    changed = json.loads(json.dumps(body))
    places = [place for place in _places(changed) if place]
    for _ in range(chance.randint(1, 3)):
        place = chance.choice(places)
        try:
            holder = changed
            for key in place[:-1]:
                holder = holder[key]
            if chance.random() < 0.3:
                del holder[place[-1]]
            else:
                holder[place[-1]] = chance.choice(ODD)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    content = bytearray(json.dumps(changed).encode())
    if chance.random() < 0.3:
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


@pytest.mark.parametrize("kind", ["transaction", "batch", "message", "collection"])
def test_altered_bundles_are_answered_as_fhir(door: FhirDoor, kind: str) -> None:
    chance = random.Random(kind)  # noqa: S311 - the same alterations every time
    header = {"resourceType": "MessageHeader", "id": "m", "eventUri": "urn:x", "source": {"endpoint": "urn:y"}}
    whole = transaction(header, patient(), observation(), note("Text."), kind=kind)
    codes = set()
    for _ in range(ROUNDS):
        reply = door.post(_altered(whole, chance))
        assert json.loads(reply.content)["resourceType"] in {"OperationOutcome", "Bundle"}
        codes.add(reply.status_code)
    assert max(codes) < 500
    assert min(codes) < 300 and codes & {400, 422}, "both ways are tried"
    assert door.post(transaction(patient())).status_code == 200


def test_altered_notifications_are_answered_as_fhir(door: FhirDoor) -> None:
    from tests.conformance.test_subscription_backport import notification

    Subscription.objects.create(
        name="ehr",
        kind=Subscription.Kind.BACKPORT,
        header="X-Secret",
        secret=seal_secret("ehr", "s" * 20),
        created_at=timezone.now(),
    )
    chance = random.Random(7)  # noqa: S311 - the same alterations every time
    whole = notification("event-notification", patient(), events={5: "Patient/amina"}, count=5)
    codes = set()
    for _ in range(ROUNDS):
        content = _altered(whole, chance)
        reply = door.request("POST", "/fhir/subscription/ehr", content, bearer="", **{"X-Secret": "s" * 20})
        assert json.loads(reply.content)["resourceType"] == "OperationOutcome"
        codes.add(reply.status_code)
    assert max(codes) < 500
    assert {200, 400} <= codes
