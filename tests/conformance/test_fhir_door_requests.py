"""Who may call the FHIR door, in which form, single resources, metadata, and what is refused.

Source: HL7 FHIR R4 4.0.1, RESTful API; every refusal is an OperationOutcome.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinical.models import AuditEvent, ResourceVersion
from ingestion.domain.fhir_door.capability import capability_statement
from ingestion.domain.r4.check import check_resource
from ingestion.models import IngestJob
from ingestion.webhook.clients import token_digest
from tests.factories import NOON, note, observation, patient
from tests.fhir_door import SERVER, TOKEN, FhirDoor, fhir_door, issues, statuses, transaction  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.mark.parametrize(
    ("bearer", "reason"), [("", "no-token"), ("wrong", "unknown-token"), (TOKEN[:-1], "unknown-token")]
)
def test_only_a_registered_token_opens_the_door(door: FhirDoor, bearer: str, reason: str) -> None:
    reply = door.post(transaction(patient()), bearer=bearer)
    assert (reply.status_code, issues(reply)[0][1]) == (401, reason)
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert AuditEvent.objects.get().outcome == "DENIED"
    assert not IngestJob.objects.exists()


def test_without_a_file_of_clients_the_door_is_closed(door: FhirDoor) -> None:
    door.file.unlink()
    assert issues(door.post(transaction(patient())))[0][1] == "no-clients"


def test_a_damaged_file_of_clients_is_said_to_be(door: FhirDoor) -> None:
    door.file.write_text("[{]")
    assert door.post(transaction(patient())).status_code == 503


def test_the_command_prints_a_token_once_that_works_until_it_is_removed(door: FhirDoor) -> None:
    out = io.StringIO()
    call_command("fhir_client", "--name", "lab", stdout=out)
    token = out.getvalue().strip()
    assert token not in door.file.read_text()
    assert door.post(transaction(patient()), bearer=token).status_code == 200
    assert IngestJob.objects.get().feed == "fhir:lab"
    with pytest.raises(CommandError):
        call_command("fhir_client", "--name", "lab")
    call_command("fhir_client", "--name", "lab", "--remove", stdout=out)
    assert door.post(transaction(patient()), bearer=token).status_code == 401


@pytest.mark.parametrize(
    "kind", ["application/fhir+json", "application/json; charset=utf-8", "application/fhir+json; fhirVersion=4.0"]
)
def test_json_is_taken(door: FhirDoor, kind: str) -> None:
    assert door.post(transaction(patient()), kind=kind).status_code == 200


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("application/fhir+xml", "media-type"),
        ("text/plain", "media-type"),
        ("application/x-www-form-urlencoded", "media-type"),
        ("application/json; charset=latin-1", "media-type"),
        ("application/fhir+json; fhirVersion=5.0", "fhir-version"),
    ],
)
def test_other_forms_are_refused(door: FhirDoor, kind: str, reason: str) -> None:
    reply = door.post(b"<Patient/>", kind=kind)
    assert (reply.status_code, issues(reply)[0][1]) == (415, reason)


def test_a_compressed_body_and_an_xml_reply_are_refused(door: FhirDoor) -> None:
    assert door.post(transaction(patient()), Content_Encoding="gzip").status_code == 415
    assert door.post(transaction(patient()), Accept="application/fhir+xml").status_code == 406
    assert not IngestJob.objects.exists()


def test_a_body_over_the_limit_is_refused(door: FhirDoor, settings: Any) -> None:
    settings.INGESTION_FHIR_LIMITS = (100, 100)
    assert door.post(transaction(patient())).status_code == 413
    assert not IngestJob.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"resourceType":7}',
        b"\xff\xfe{}",
        b'{"resourceType":"Bundle"}',
        b'{"resourceType":"Bundle","type":"transaction","entry":{}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"resourceType":"Nonsense"}',
    ],
)
def test_what_is_no_fhir_is_refused_with_a_reason(door: FhirDoor, body: bytes) -> None:
    reply = door.post(body)
    assert reply.status_code == 400
    assert issues(reply)
    assert not IngestJob.objects.exists()


def test_an_empty_body_is_refused(door: FhirDoor) -> None:
    assert issues(door.post(b"", Content_Type="application/fhir+json"))[0][1] == "empty-body"


def test_a_refusal_repeats_nothing_of_what_was_sent(door: FhirDoor) -> None:
    reply = door.post(observation() | {"status": "Zyxwvut", "valueString": "Secretname"})
    assert reply.status_code == 400
    assert b"Zyxwvut" not in reply.content and b"Secretname" not in reply.content


def test_a_resource_is_created_under_its_own_id_and_again_unchanged(door: FhirDoor) -> None:
    door.post(patient(), "/fhir/Patient")
    reply = door.post(observation(), "/fhir/Observation")
    assert (reply.status_code, reply.headers["ETag"]) == (201, 'W/"1"')
    assert reply.headers["Location"].endswith("/fhir/Observation/k1/_history/1")
    assert door.post(observation(), "/fhir/Observation").status_code == 200
    assert ResourceVersion.objects.filter(resource_type="Observation").count() == 1


def test_a_resource_without_an_id_gets_one_that_stays(door: FhirDoor) -> None:
    door.post(patient(), "/fhir/Patient")
    nameless = {key: value for key, value in observation().items() if key != "id"}
    first, again = (door.post(nameless, "/fhir/Observation") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["Location"] == again.headers["Location"]


def test_put_makes_a_version_and_delete_ends_it(door: FhirDoor) -> None:
    door.put(patient())
    assert door.put(observation(value=4.0)).status_code == 201
    changed = door.put(observation(value=5.0))
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')
    assert [door.request("DELETE", "/fhir/Observation/k1").status_code for _ in range(2)] == [204, 204]
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).deleted
    assert door.request("DELETE", "/fhir/Observation/never").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("PUT", "/fhir/Patient/other", "other-id"),
        ("PUT", "/fhir/Observation/amina", "other-type"),
        ("POST", "/fhir/Observation", "other-type"),
        ("PUT", "/fhir/Patient/a_b", "bad-id"),
        ("POST", "/fhir/Patient?identifier=x", "conditional-update"),
        ("POST", "/fhir/Nonsense", "unknown-path"),
        ("PUT", "/fhir/Patient", "method"),
        ("PATCH", "/fhir/Patient/amina", "method"),
        ("GET", "/fhir/Patient/amina", "method"),
        ("GET", "/fhir/Patient", "method"),
        ("GET", "/fhir", "method"),
        ("GET", "/fhir/Patient/amina/_history/1", "method"),
        ("POST", "/fhir/Patient/_search", "method"),
        ("POST", "/fhir/a/b/c", "unknown-path"),
    ],
)
def test_what_an_address_does_not_take_is_refused(door: FhirDoor, method: str, path: str, reason: str) -> None:
    reply = door.request(method, path, patient())
    assert 400 <= reply.status_code < 500
    assert issues(reply)[0][1] == reason
    assert not IngestJob.objects.exists()


@pytest.mark.parametrize("name", ["If-None-Exist", "If-Match", "If-None-Match", "If-Modified-Since"])
def test_a_condition_is_refused_and_not_ignored(door: FhirDoor, name: str) -> None:
    reply = door.post(patient(), "/fhir/Patient", **{name: "x"})
    assert (reply.status_code, issues(reply)[0][0]) == (400, "not-supported")
    assert not IngestJob.objects.exists()


def test_a_bundle_is_not_kept_as_a_resource(door: FhirDoor) -> None:
    assert issues(door.post(transaction(patient()), "/fhir/Bundle"))[0][1] == "bundle-goes-to-base"


def test_resources_belong_to_the_server_of_their_client(door: FhirDoor, settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({SERVER, "https://other.internal/r4"})
    door.register({"name": "ehr", "token_sha256": token_digest(TOKEN), "server": SERVER + "/"})
    assert door.post(transaction(patient(), observation())).status_code == 200
    assert set(ResourceVersion.objects.values_list("server", flat=True)) == {SERVER}
    assert set(ResourceVersion.objects.values_list("patient", flat=True)) != {None}
    foreign = transaction(observation("k2"))
    foreign["entry"][0]["fullUrl"] = "https://other.internal/r4/Observation/k2"
    reply = door.post(foreign)
    assert (reply.status_code, issues(reply)[0][:2]) == (403, ("forbidden", "server-not-registered"))
    batch = foreign | {"type": "batch"}
    assert statuses(door.post(batch)) == ["403"]
    assert not ResourceVersion.objects.filter(server="https://other.internal/r4").exists()


def test_an_unknown_source_is_held_for_a_person(door: FhirDoor, settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset()
    door.register({"name": "ehr", "token_sha256": token_digest(TOKEN), "server": SERVER})
    assert statuses(door.post(transaction(patient(), observation()))) == ["202", "202"]
    assert not ResourceVersion.objects.exists()


def test_metadata_is_a_valid_capability_statement_and_needs_no_token(door: FhirDoor) -> None:
    reply = door.request("GET", "/fhir/metadata", bearer="")
    checked = check_resource(reply.content)
    rest = json.loads(reply.content)["rest"][0]
    assert (reply.status_code, checked.resource_type) == (200, "CapabilityStatement")
    assert {one["code"] for one in rest["interaction"]} == {"transaction", "batch"}
    assert all("read" not in {one["code"] for one in kind["interaction"]} for kind in rest["resource"])


def test_the_statement_names_no_type_that_the_door_refuses() -> None:
    statement = capability_statement(base="https://x.internal/fhir", version="1", now=NOON)
    assert {"Bundle", "Parameters"}.isdisjoint(one["type"] for one in statement["rest"][0]["resource"])


def test_a_job_is_shown_to_its_sender_only(door: FhirDoor) -> None:
    door.register(
        {"name": "ehr", "token_sha256": token_digest(TOKEN)}, {"name": "lab", "token_sha256": token_digest("lab")}
    )
    door.post(transaction(patient()))
    path = f"/fhir/jobs/{IngestJob.objects.get().pk}"
    assert issues(door.request("GET", path))[0][1] == "counts"
    assert door.request("GET", path, bearer="lab").status_code == 404
    assert door.request("GET", path, bearer="").status_code == 401


def test_every_call_leaves_a_line_on_the_trail_without_patient_text(door: FhirDoor) -> None:
    door.post(transaction(patient(), note("Secretname came in.")))
    door.post(transaction(observation() | {"status": "Secretname"}))
    rows = list(AuditEvent.objects.filter(action="fhir.receive").order_by("seq").values_list("outcome", "detail"))
    assert [outcome for outcome, _detail in rows] == ["SUCCESS", "REFUSED"]
    assert "Secretname" not in str(rows)
