"""Catching up from the site's EHR with SMART Backend Services, against a server on loopback.

Source: HL7 SMART App Launch 2.2, "Backend Services"; Subscriptions R5 Backport 1.1.0, operation $events.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone

from appliance.backends.ehr import EhrKey, EhrRow, SmartEhr
from appliance.egress import EgressDeniedError
from clinical.models import ResourceVersion
from clinical.ports import BackendUnavailableError
from ingestion import pipeline
from ingestion.models import IngestJob, Subscription, SubscriptionEvent
from ingestion.subscriptions.catch_up import CaughtUp, catch_up
from ingestion.subscriptions.receiver import seal_secret
from tests.factories import LIMITS, noon, observation, patient
from tests.mock_ehr import MockEhr, serving

pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.filterwarnings("ignore:.*:ResourceWarning"),
]
EC_KEY, NEXT_KEY = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
State = SubscriptionEvent.State


@pytest.fixture
def ehr() -> Iterator[MockEhr]:
    known = {"ec-1": EC_KEY.public_key(), "ec-2": NEXT_KEY.public_key(), "rsa-1": RSA_KEY.public_key()}
    with serving(MockEhr(keys=known)) as server:
        server.resources |= {"Patient/amina": patient(), "Observation/k1": observation()}
        yield server


def reader(ehr: MockEhr, folder: Path, key: Any = EC_KEY, kid: str = "ec-1", **more: Any) -> SmartEhr:
    file = folder / f"{kid}.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form))
    algorithm = "RS384" if kid.startswith("rsa") else "ES384"
    row = EhrRow(ehr.base, ehr.token_url, "appliance", [EhrKey(str(file), kid, algorithm)])  # type: ignore[arg-type]
    return SmartEhr(row, **({"most_bytes": 1 << 20} | more))


def noted(ehr: MockEhr, *events: tuple[int, str, str]) -> Subscription:
    row = Subscription.objects.create(
        name="ehr",
        kind=Subscription.Kind.BACKPORT,
        secret=seal_secret("ehr", "x" * 20),
        server=ehr.base,
        reference="Subscription/sub-1",
        pull_due_since=timezone.now(),
        highest=max((number for number, _state, _focus in events), default=0),
        created_at=timezone.now(),
    )
    for number, state, focus in events:
        row.events.create(number=number, state=state, focus=focus, noted_at=timezone.now())
    return row


@pytest.mark.parametrize(("key", "kid"), [(EC_KEY, "ec-1"), (RSA_KEY, "rsa-1"), (NEXT_KEY, "ec-2")])
def test_both_algorithms_and_a_rotated_key_are_accepted(ehr: MockEhr, tmp_path: Path, key: Any, kid: str) -> None:
    assert b'"amina"' in reader(ehr, tmp_path, key, kid).read("Patient/amina")
    assert ehr.refused == []


def test_one_token_serves_many_reads(ehr: MockEhr, tmp_path: Path) -> None:
    one = reader(ehr, tmp_path)
    for _ in range(3):
        one.read("Patient/amina")
    assert len(ehr.tokens) == 1


def test_a_token_without_a_stated_life_is_not_used_again(ehr: MockEhr, tmp_path: Path) -> None:
    ehr.expires_in = 0
    one = reader(ehr, tmp_path)
    one.read("Patient/amina")
    one.read("Patient/amina")
    assert len(ehr.tokens) == 2


def test_a_refused_token_is_asked_for_again_once(ehr: MockEhr, tmp_path: Path) -> None:
    one = reader(ehr, tmp_path)
    one.read("Patient/amina")
    ehr.void.add("token-1")
    assert one.read("Patient/amina")
    assert len(ehr.tokens) == 2
    ehr.void |= {f"token-{number}" for number in range(10)}
    with pytest.raises(BackendUnavailableError):
        one.read("Patient/amina")
    assert len(ehr.tokens) == 3


def test_an_unknown_key_and_a_missing_one_are_said_to_be(ehr: MockEhr, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="token"):
        reader(ehr, tmp_path, ec.generate_private_key(ec.SECP384R1()), "ec-1").read("Patient/amina")
    one = reader(ehr, tmp_path)
    (tmp_path / "ec-1.pem").unlink()
    with pytest.raises(BackendUnavailableError, match="key"):
        one.read("Patient/amina")


def test_the_token_goes_to_no_other_host(ehr: MockEhr, tmp_path: Path) -> None:
    one = reader(ehr, tmp_path)
    for path in ("http://127.0.0.1:9/Patient/amina", "//127.0.0.1:9/Patient/amina", "/token"):
        with pytest.raises(BackendUnavailableError):
            one.read(path)
    assert ehr.asked == []
    with pytest.raises(EgressDeniedError):
        SmartEhr(EhrRow("https://ehr.example.org/r4", ehr.token_url, "appliance", []), most_bytes=1)


def test_a_reply_that_is_too_large_is_not_read_to_its_end(ehr: MockEhr, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="too-large"):
        reader(ehr, tmp_path, most_bytes=10).read("Patient/amina")


def test_what_a_notification_named_is_fetched_and_taken_in(ehr: MockEhr, tmp_path: Path) -> None:
    row = noted(ehr, (1, State.TO_FETCH, "Patient/amina"), (2, State.TO_FETCH, "Observation/k1"))
    assert catch_up(row, reader(ehr, tmp_path), clock=noon) == CaughtUp(fetched=2, gone=0, left=0)
    for job in IngestJob.objects.all():
        pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    assert set(ResourceVersion.objects.values_list("server", "logical_id")) == {(ehr.base, "amina"), (ehr.base, "k1")}
    assert Subscription.objects.get().pull_due_since is None


def test_what_the_server_deleted_is_deleted_here(ehr: MockEhr, tmp_path: Path) -> None:
    row = noted(ehr, (1, State.TO_FETCH, "Patient/amina"), (2, State.TO_FETCH, "Observation/k1"))
    catch_up(row, reader(ehr, tmp_path), clock=noon)
    ehr.resources["Observation/k1"] = 410
    row.events.create(number=3, state=State.TO_FETCH, focus="Observation/k1", noted_at=timezone.now())
    assert catch_up(row, reader(ehr, tmp_path), clock=noon).gone == 1
    for job in IngestJob.objects.order_by("pk"):
        pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).deleted


def test_a_focus_on_another_server_is_not_followed(ehr: MockEhr, tmp_path: Path) -> None:
    row = noted(ehr, (1, State.TO_FETCH, "http://127.0.0.1:9/r4/Patient/amina"))
    assert catch_up(row, reader(ehr, tmp_path), clock=noon) == CaughtUp(fetched=0, gone=0, left=1)
    assert ehr.asked == []


def test_missing_events_are_asked_for_by_number(ehr: MockEhr, tmp_path: Path) -> None:
    row = noted(ehr, (21, State.RECEIVED, "Patient/amina"), (22, State.MISSING, ""))
    parameters = [
        {"name": "subscription", "valueReference": {"reference": f"{ehr.base}/Subscription/sub-1"}},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": "query-event"},
        {
            "name": "notification-event",
            "part": [
                {"name": "event-number", "valueString": "22"},
                {"name": "focus", "valueReference": {"reference": "Observation/k1"}},
            ],
        },
    ]
    status = {"resource": {"resourceType": "Parameters", "parameter": parameters}}
    status |= {"request": {"method": "GET", "url": "Subscription/sub-1/$events"}, "response": {"status": "200"}}
    told = {"fullUrl": f"{ehr.base}/Observation/k1", "resource": observation()}
    told |= {"request": {"method": "PUT", "url": "Observation/k1"}, "response": {"status": "200"}}
    query = "Subscription/sub-1/$events?eventsSinceNumber=22&eventsUntilNumber=22&content=full-resource"
    ehr.resources[query] = {"resourceType": "Bundle", "type": "history", "entry": [status, told]}
    assert catch_up(row, reader(ehr, tmp_path), clock=noon).left == 0
    assert row.events.get(number=22).state == State.RECEIVED


def test_a_server_that_does_not_answer_leaves_the_catch_up_due(ehr: MockEhr, tmp_path: Path) -> None:
    row = noted(ehr, (1, State.TO_FETCH, "Patient/amina"))
    ehr.resources["Patient/amina"] = 500
    with pytest.raises(BackendUnavailableError):
        catch_up(row, reader(ehr, tmp_path), clock=noon)
    assert (row.events.get().state, Subscription.objects.get().pull_due_since is not None) == (State.TO_FETCH, True)
