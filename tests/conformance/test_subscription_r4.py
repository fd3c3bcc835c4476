"""R4 rest-hook notifications, and who may send notifications at all.

Source: HL7 FHIR R4 4.0.1, Subscription (channel type rest-hook): an empty body, or the resource by POST or PUT.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinical.models import AuditEvent, ResourceVersion
from ingestion import pipeline
from ingestion.models import IngestJob, Subscription
from ingestion.subscriptions.receiver import seal_secret
from tests.factories import LIMITS, bundle, noon, observation, patient
from tests.fhir_door import FhirDoor, fhir_door, issues  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
SECRET = "a secret of the subscription"
FHIR = "application/fhir+json"


@pytest.fixture(autouse=True)
def _registered(door: FhirDoor) -> None:
    for name, header in (("ehr", "X-Secret"), ("bearer", "Authorization"), ("signed", "")):
        Subscription.objects.create(
            name=name,
            kind=Subscription.Kind.R4,
            header=header,
            secret=seal_secret(name, SECRET),
            created_at=timezone.now(),
        )


def send(door: FhirDoor, body: Any, path: str = "", *, method: str = "POST", **headers: str) -> Any:
    address = f"/fhir/subscription/ehr{path}"
    return door.request(method, address, body, bearer="", **({"X-Secret": SECRET} | headers))


def signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_an_empty_body_makes_a_catch_up_due(door: FhirDoor) -> None:
    assert send(door, b"").status_code == 200
    row = Subscription.objects.get(name="ehr")
    assert row.pull_due_since is not None and row.last_seen_at is not None
    assert not IngestJob.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/Patient/amina"), ("POST", "/Patient/amina")])
def test_a_bare_resource_is_taken_in(door: FhirDoor, method: str, path: str) -> None:
    assert send(door, patient(), path, method=method).status_code == 200
    job = IngestJob.objects.get()
    pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    assert (job.feed, ResourceVersion.objects.get().logical_id) == ("subscription:ehr", "amina")


@pytest.mark.parametrize(
    ("body", "method", "path", "status"),
    [
        (observation(), "PUT", "/Patient/amina", 400),
        (patient(), "PUT", "/Patient/bela", 400),
        (patient(), "PUT", "", 405),
        (bundle(patient()), "POST", "", 400),
        (patient() | {"gender": "x"}, "POST", "", 400),
        (b"{", "POST", "", 400),
        (patient(), "GET", "", 405),
        (patient(), "DELETE", "/Patient/amina", 405),
    ],
)
def test_what_is_no_bare_resource_is_refused(door: FhirDoor, body: Any, method: str, path: str, status: int) -> None:
    reply = send(door, body, path, method=method)
    assert reply.status_code == status
    assert issues(reply)
    assert not IngestJob.objects.exists()


def test_the_form_must_be_fhir_json(door: FhirDoor) -> None:
    reply = door.request(
        "POST", "/fhir/subscription/ehr", b"<Patient/>", bearer="", kind="application/fhir+xml", **{"X-Secret": SECRET}
    )
    assert reply.status_code == 415


def test_a_large_notification_is_refused(door: FhirDoor, settings: Any) -> None:
    settings.INGESTION_FHIR_LIMITS = (20, 20)
    assert send(door, patient()).status_code == 413


@pytest.mark.parametrize("given", ["", "wrong", SECRET[:-1], SECRET + "x", "Bearer wrong", "ä"])
def test_a_wrong_or_missing_secret_is_refused(door: FhirDoor, given: str) -> None:
    reply = send(door, patient(), **{"X-Secret": given})
    assert (reply.status_code, issues(reply)[0][1]) == (401, "bad-secret")
    assert not IngestJob.objects.exists()
    assert AuditEvent.objects.get().outcome == "REFUSED"


def test_a_bearer_secret_is_known_with_and_without_its_scheme(door: FhirDoor) -> None:
    for value in (SECRET, f"Bearer {SECRET}"):
        reply = door.request("POST", "/fhir/subscription/bearer", patient(), bearer="", Authorization=value)
        assert reply.status_code == 200


def test_a_signed_body_is_taken_and_an_altered_one_is_not(door: FhirDoor) -> None:
    body = json.dumps(patient()).encode()
    good = {"X-Signature": signature(body)}
    path = "/fhir/subscription/signed"
    assert door.request("POST", path, body, bearer="", **good).status_code == 200
    assert door.request("POST", path, body + b" ", bearer="", **good).status_code == 401
    assert door.request("POST", path, body, bearer="").status_code == 401
    assert door.request("POST", path, body, bearer="", **{"X-Secret": SECRET}).status_code == 401
    assert IngestJob.objects.count() == 1


def test_an_unknown_or_switched_off_subscription_takes_nothing(door: FhirDoor) -> None:
    assert door.request("POST", "/fhir/subscription/none", patient(), bearer="").status_code == 404
    call_command("subscription", "off", "ehr", stdout=io.StringIO())
    assert send(door, patient()).status_code == 403
    assert not IngestJob.objects.exists()


def test_the_command_registers_with_the_secret_of_a_file(door: FhirDoor, tmp_path: Path) -> None:
    file, out = tmp_path / "secret", io.StringIO()
    file.write_text("a secret from a file\n")
    call_command(
        "subscription", "add", "new", "--kind", "r4", "--secret-file", str(file), "--header", "X-Key",
        "--heartbeat", "30", stdout=out,
    )  # fmt: skip
    row = Subscription.objects.get(name="new")
    assert (row.heartbeat_s, b"secret from" in bytes(row.secret)) == (30, False)
    assert "/fhir/subscription/new" in out.getvalue() and "a secret" not in out.getvalue()
    reply = door.request("POST", "/fhir/subscription/new", patient(), bearer="", **{"X-Key": "a secret from a file"})
    assert reply.status_code == 200
    call_command("subscription", "list", stdout=out)
    assert "new  r4" in out.getvalue()
    file.write_text("short")
    with pytest.raises(CommandError):
        call_command("subscription", "add", "other", "--secret-file", str(file))
    with pytest.raises(CommandError):
        call_command("subscription", "add", "new")
