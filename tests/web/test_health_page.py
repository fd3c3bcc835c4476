"""The health page, /readyz and the foot of every page say which feeds are silent and what waits for too long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from clinical.domain.access import Role
from ingestion.models import IngestJob, Subscription, SubscriptionEvent
from ingestion.rhythm import heard
from ingestion.subscriptions.receiver import seal_secret
from tests.factories import bundle, observation, patient, take_in
from tests.web.conftest import make_user

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed(client: Client, role: Role) -> Client:
    client.force_login(make_user(role), backend=BACKEND)
    return client


def health(client: Client) -> str:
    answer = client.get(reverse("health"))
    assert answer.status_code == 200
    return answer.content.decode()


def subscription(**more: object) -> Subscription:
    given = {"kind": Subscription.Kind.BACKPORT, "created_at": timezone.now() - timedelta(hours=1)} | more
    return Subscription.objects.create(name="ehr", secret=seal_secret("ehr", "x" * 20), **given)


def silent_feed() -> None:
    begun = timezone.now() - timedelta(hours=4)
    for number in range(12):
        heard(["mllp:WEST"], now=begun + timedelta(minutes=5 * number))


def test_a_box_that_is_well_says_so(client: Client) -> None:
    heard(["mllp:WEST"], now=timezone.now())
    subscription(last_seen_at=timezone.now(), heartbeat_s=600)

    page = health(signed(client, Role.OPERATOR))

    assert "No alarm." in page
    assert "frame-alarms" not in page
    assert client.get("/readyz").json()["alarms"] == {}


def test_a_silent_feed_is_named_to_operators_and_shown_on_every_page(client: Client) -> None:
    silent_feed()

    page = health(signed(client, Role.OPERATOR))

    assert page.count("mllp:WEST: silent for longer than usual") == 2  # in the list, and at the foot
    assert client.get("/readyz").json()["alarms"] == {"feed-silent": 1}
    lead = signed(client, Role.CLINICIAN).get(reverse("patients")).content.decode()
    assert "mllp:WEST: silent for longer than usual" in lead


def test_gaps_and_missing_heartbeats_of_subscriptions_are_alarms(client: Client) -> None:
    row = subscription(last_seen_at=timezone.now() - timedelta(minutes=5), heartbeat_s=60)
    for number in (3, 4):
        row.events.create(number=number, state=SubscriptionEvent.State.MISSING, noted_at=timezone.now())

    page = health(signed(client, Role.OPERATOR))

    assert "subscription:ehr: a heartbeat did not come" in page
    assert "subscription:ehr: events did not come" in page
    assert client.get("/readyz").json()["alarms"] == {"events-missing": 1, "heartbeat-missed": 1}


def test_a_fetch_is_an_alarm_only_when_it_does_not_happen(client: Client) -> None:
    row = subscription(last_seen_at=timezone.now(), pull_due_since=timezone.now())
    assert client.get("/readyz").json()["alarms"] == {}

    Subscription.objects.filter(pk=row.pk).update(pull_due_since=timezone.now() - timedelta(minutes=6))

    assert client.get("/readyz").json()["alarms"] == {"fetch-due": 1}


def test_what_waits_for_too_long_is_an_alarm_with_its_age(client: Client) -> None:
    bad = {"resourceType": "Observation", "id": "bad", "status": "final"}
    take_in(bundle(patient(), bad, observation("lost") | {"subject": {}}))  # taken in months ago
    IngestJob.objects.update(state=IngestJob.State.FAILED)

    page = health(signed(client, Role.OPERATOR))

    told = client.get("/readyz").json()
    assert told["alarms"] == {"jobs-failed": 1, "quarantined-old": 1, "unassigned-old": 1}
    assert told["held"]["oldest_unassigned_s"] > 86_400
    assert "days" in page
    assert "Received files or messages could not be taken in; they are tried again" in page


def test_a_clinician_does_not_open_it(client: Client) -> None:
    assert signed(client, Role.CLINICIAN).get(reverse("health")).status_code == 403
