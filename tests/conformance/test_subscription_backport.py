"""R5-backport notifications: each type, each payload, each way to be malformed, and event numbers.

Source: Subscriptions R5 Backport implementation guide 1.1.0, profile backport-subscription-status-r4.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinical.models import ResourceVersion
from ingestion import pipeline
from ingestion.models import IngestJob, Subscription, SubscriptionEvent
from ingestion.subscriptions.receiver import seal_secret
from ingestion.subscriptions.watch import watched
from tests.factories import LIMITS, noon, observation, patient
from tests.fhir_door import SERVER, FhirDoor, fhir_door, issues  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
SECRET = "a secret of the subscription"
PATH = "/fhir/subscription/ehr"
State = SubscriptionEvent.State


@pytest.fixture(autouse=True)
def _registered(door: FhirDoor) -> None:
    Subscription.objects.create(
        name="ehr",
        kind=Subscription.Kind.BACKPORT,
        header="X-Secret",
        secret=seal_secret("ehr", SECRET),
        server=SERVER,
        heartbeat_s=60,
        created_at=timezone.now(),
    )


def notification(
    kind: str = "event-notification",
    *resources: dict[str, Any],
    events: dict[int, str] | None = None,
    count: int | None = None,
    state: str = "active",
) -> dict[str, Any]:
    """A notification; `events` maps numbers to the focus ("" for none)."""
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{SERVER}/Subscription/sub-1"}},
        {"name": "status", "valueCode": state},
        {"name": "type", "valueCode": kind},
    ]
    if count is not None:
        parameters.append({"name": "events-since-subscription-start", "valueString": str(count)})
    for number, focus in (events or {}).items():
        parts: list[dict[str, Any]] = [{"name": "event-number", "valueString": str(number)}]
        if focus:
            parts.append({"name": "focus", "valueReference": {"reference": f"{SERVER}/{focus}"}})
        parameters.append({"name": "notification-event", "part": parts})
    status = {
        "fullUrl": "urn:uuid:8d8e1f0e-7f0b-4f5e-9f57-5a6ad0d2c111",
        "resource": {"resourceType": "Parameters", "parameter": parameters},
        "request": {"method": "GET", "url": f"{SERVER}/Subscription/sub-1/$status"},
        "response": {"status": "200"},
    }
    entries = [
        {
            "fullUrl": f"{SERVER}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            "response": {"status": "200"},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "history", "entry": [status, *entries]}


def send(door: FhirDoor, body: Any, **headers: str) -> Any:
    return door.request("POST", PATH, body, bearer="", **({"X-Secret": SECRET} | headers))


def work() -> None:
    for job in pipeline.due(timezone.now()):
        pipeline.run(job, limits=LIMITS, clock=noon, wake=False)


def row() -> Subscription:
    return Subscription.objects.get(name="ehr")


def events() -> dict[int, str]:
    return dict(SubscriptionEvent.objects.order_by("number").values_list("number", "state"))


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
def test_a_sign_of_life_is_acknowledged_and_brings_nothing_in(door: FhirDoor, kind: str) -> None:
    assert send(door, notification(kind, count=0)).status_code == 200
    assert row().last_seen_at is not None
    assert (IngestJob.objects.count(), events()) == (0, {})


def test_a_full_notification_is_taken_in_without_its_status(door: FhirDoor) -> None:
    body = notification(
        "event-notification", patient(), observation(), events={1: "Patient/amina", 2: "Observation/k1"}, count=2
    )
    assert send(door, body).status_code == 200
    work()
    job = IngestJob.objects.get()
    assert (job.feed, job.received, job.stored, job.quarantined) == ("subscription:ehr", 2, 2, 0)
    assert events() == {1: State.RECEIVED, 2: State.RECEIVED}
    assert set(ResourceVersion.objects.values_list("server", flat=True)) == {SERVER}


def test_a_deletion_in_a_notification_takes_effect(door: FhirDoor) -> None:
    send(door, notification("event-notification", patient(), events={1: "Patient/amina"}))
    send(door, notification("event-notification", observation(), events={2: "Observation/k1"}))
    gone = notification(events={3: "Observation/k1"})
    gone["entry"].append(
        {
            "fullUrl": f"{SERVER}/Observation/k1",
            "request": {"method": "DELETE", "url": "Observation/k1"},
            "response": {"status": "200"},
        }
    )
    assert send(door, gone).status_code == 200
    work()
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).deleted


def test_an_id_only_notification_is_noted_for_fetching(door: FhirDoor) -> None:
    body = notification(events={1: "Observation/k1"}, count=1)
    body["entry"].append(
        {
            "fullUrl": f"{SERVER}/Observation/k1",
            "request": {"method": "PUT", "url": "Observation/k1"},
            "response": {"status": "200"},
        }
    )
    assert send(door, body).status_code == 200
    assert SubscriptionEvent.objects.get().focus == "Observation/k1"
    assert (events(), IngestJob.objects.count()) == ({1: State.TO_FETCH}, 0)
    assert row().pull_due_since is not None


def test_an_empty_notification_makes_a_catch_up_due(door: FhirDoor) -> None:
    assert send(door, notification(events={1: ""}, count=1)).status_code == 200
    assert (events(), row().pull_due_since is not None) == ({1: State.TO_FETCH}, True)


def test_a_repeated_notification_is_taken_in_once(door: FhirDoor) -> None:
    body = notification("event-notification", patient(), events={1: "Patient/amina"})
    assert [send(door, body).status_code for _ in range(3)] == [200, 200, 200]
    work()
    assert (IngestJob.objects.count(), ResourceVersion.objects.count()) == (1, 1)


def test_a_repeated_number_with_other_content_loses_nothing(door: FhirDoor) -> None:
    send(door, notification("event-notification", patient(), events={1: "Patient/amina"}))
    send(door, notification("event-notification", patient("bela"), events={1: "Patient/bela"}))
    work()
    assert ResourceVersion.objects.filter(resource_type="Patient").count() == 2


def test_a_gap_is_noted_and_shown_and_closes_when_the_event_comes(door: FhirDoor) -> None:
    send(door, notification("event-notification", patient(), events={21: "Patient/amina"}, count=21))
    assert watched(now=timezone.now())[0].alarms == ()
    send(door, notification("event-notification", observation("k3"), events={23: "Observation/k3"}, count=23))
    assert events() == {21: State.RECEIVED, 22: State.MISSING, 23: State.RECEIVED}
    assert watched(now=timezone.now())[0].alarms == ("events-missing", "fetch-due")
    send(door, notification("event-notification", observation("k2"), events={22: "Observation/k2"}, count=23))
    assert events()[22] == State.RECEIVED
    assert watched(now=timezone.now())[0].missing == 0


def test_a_heartbeat_that_counts_more_events_than_came_is_a_gap(door: FhirDoor) -> None:
    send(door, notification("handshake", count=0, state="requested"))
    send(door, notification("heartbeat", count=2))
    assert events() == {1: State.MISSING, 2: State.MISSING}


def test_what_was_sent_before_the_handshake_is_no_gap(door: FhirDoor) -> None:
    send(door, notification("handshake", count=20))
    send(door, notification("event-notification", patient(), events={21: "Patient/amina"}, count=21))
    assert events() == {21: State.RECEIVED}


def test_an_older_version_that_comes_late_does_not_replace_a_newer_one(door: FhirDoor) -> None:
    newer = observation(value=5.0, meta={"versionId": "2"})
    older = observation(value=4.0, meta={"versionId": "1"})
    send(door, notification("event-notification", patient(), events={1: "Patient/amina"}))
    send(door, notification("event-notification", newer, events={3: "Observation/k1"}))
    send(door, notification("event-notification", older, events={2: "Observation/k1"}))
    work()
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).source_version == "2"
    assert ResourceVersion.objects.filter(logical_id="k1").count() == 2


def test_a_heartbeat_that_does_not_come_is_an_alarm(door: FhirDoor) -> None:
    now = timezone.now()
    assert watched(now=now + timedelta(seconds=61))[0].alarms == ("never-heard",)
    send(door, notification("heartbeat", count=0))
    assert watched(now=timezone.now() + timedelta(seconds=50))[0].alarms == ()
    assert watched(now=timezone.now() + timedelta(seconds=61))[0].alarms == ("heartbeat-missed",)


def test_a_sender_that_reports_an_error_is_an_alarm(door: FhirDoor) -> None:
    send(door, notification("heartbeat", count=0, state="error"))
    assert watched(now=timezone.now())[0].alarms == ("sender-in-error",)


def test_a_notification_of_another_subscription_is_refused(door: FhirDoor) -> None:
    send(door, notification("handshake", count=0))
    other = json.loads(json.dumps(notification("heartbeat", count=0)).replace("sub-1", "sub-2"))
    reply = send(door, other)
    assert (reply.status_code, issues(reply)[0][1]) == (422, "other-subscription")


def _set(place: Callable[[dict[str, Any]], Any], key: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        place(body)[key] = value

    return change


def _without(place: Callable[[dict[str, Any]], Any], key: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        del place(body)[key]

    return change


def _parameters(body: dict[str, Any]) -> Any:
    return body["entry"][0]["resource"]["parameter"]


def _event(body: dict[str, Any]) -> Any:
    return _parameters(body)[4]["part"]


BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    "not history": _set(lambda body: body, "type", "collection"),
    "no entries": _set(lambda body: body, "entry", []),
    "status not first": lambda body: body["entry"].reverse(),
    "no request": _without(lambda body: body["entry"][1], "request"),
    "no response": _without(lambda body: body["entry"][1], "response"),
    "status without request": _without(lambda body: body["entry"][0], "request"),
    "other address": _set(lambda body: body["entry"][0]["request"], "url", "Subscription/sub-1"),
    "no subscription": _without(_parameters, 0),
    "no status": _without(_parameters, 1),
    "no type": _without(_parameters, 2),
    "two types": lambda body: _parameters(body).append({"name": "type", "valueCode": "heartbeat"}),
    "unknown type": _set(_parameters, 2, {"name": "type", "valueCode": "greeting"}),
    "type as text": _set(_parameters, 2, {"name": "type", "valueString": "heartbeat"}),
    "unknown status": _set(_parameters, 1, {"name": "status", "valueCode": "well"}),
    "count no number": _set(lambda body: _parameters(body)[3], "valueString", "many"),
    "no event number": _without(_event, 0),
    "event number no number": _set(lambda body: _event(body)[0], "valueString", "-1"),
    "focus no reference": _set(_event, 1, {"name": "focus", "valueString": "Patient/amina"}),
    "focus not there": _set(lambda body: _event(body)[1], "valueReference", {"reference": "Patient/bela"}),
    "heartbeat with resources": _set(_parameters, 2, {"name": "type", "valueCode": "heartbeat"}),
}


@pytest.mark.parametrize("change", BROKEN)
def test_a_malformed_notification_is_refused_and_nothing_is_taken_in(door: FhirDoor, change: str) -> None:
    before = row().last_seen_at
    body = notification("event-notification", patient(), events={1: "Patient/amina"}, count=1)
    BROKEN[change](body)
    reply = send(door, body)
    assert reply.status_code in {400, 422}
    assert issues(reply)
    assert (IngestJob.objects.count(), events(), row().last_seen_at) == (0, {}, before)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", json.dumps(patient()).encode()])
def test_what_is_no_notification_is_refused(door: FhirDoor, body: bytes) -> None:
    assert send(door, body, Content_Type="application/fhir+json").status_code == 400
    assert IngestJob.objects.count() == 0
