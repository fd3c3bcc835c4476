"""Bundles at the FHIR door: transaction, batch, message, collection.

Source: HL7 FHIR R4 4.0.1, "batch/transaction" and "Messaging".
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from clinical.models import ResourceVersion
from clinical.record.selectors import content_of
from ingestion.domain.r4.check import check_resource
from ingestion.models import IngestJob, Original
from tests.factories import bundle, note, observation, patient
from tests.fhir_door import FhirDoor, fhir_door, issues, statuses, transaction  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def _nothing_is_held() -> bool:
    return not (ResourceVersion.objects.exists() or IngestJob.objects.exists() or Original.objects.exists())


def test_a_transaction_is_answered_entry_by_entry(door: FhirDoor) -> None:
    reply = door.post(transaction(patient(), observation()))
    body = json.loads(reply.content)
    assert (reply.status_code, body["type"], statuses(reply)) == (200, "transaction-response", ["201", "201"])
    assert body["entry"][0]["response"]["location"] == "Patient/amina/_history/1"
    assert body["entry"][0]["response"]["etag"] == 'W/"1"'
    check_resource(reply.content)


def test_the_same_transaction_again_changes_nothing(door: FhirDoor) -> None:
    door.post(transaction(patient(), observation()))
    held = ResourceVersion.objects.count()
    reply = door.post(transaction(patient(), observation()))
    assert statuses(reply) == ["200", "200"]
    assert ResourceVersion.objects.count() == held


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_bundle_without_entries_is_answered_without_entries(door: FhirDoor, kind: str) -> None:
    reply = door.post({"resourceType": "Bundle", "type": kind})
    assert reply.status_code == 200
    assert json.loads(reply.content)["type"] == f"{kind}-response"
    assert not json.loads(reply.content).get("entry")
    check_resource(reply.content)


def test_one_bad_entry_refuses_a_whole_transaction(door: FhirDoor) -> None:
    bad = observation() | {"status": "no-such-status"}
    reply = door.post(transaction(patient(), bad))
    assert reply.status_code == 400
    assert issues(reply) == [("invalid", "code-not-allowed", "Bundle.entry[1].resource.status")]
    assert _nothing_is_held()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ifNoneExist": "identifier=x|y"}, "conditional-create"),
        ({"ifMatch": 'W/"3"'}, "version-condition"),
        ({"url": "Patient?identifier=x|y"}, "conditional-update"),
        ({"method": "PATCH"}, "not-a-record"),
        ({"method": "GET"}, "not-a-record"),
        ({"method": "DELETE", "url": "Patient?name=x"}, "conditional-delete"),
        ({"url": "Patient/other"}, "other-id"),
        ({"url": "Observation/amina"}, "other-type"),
        ({"url": "Nonsense/amina"}, "bad-request-url"),
        ({"url": "Patient"}, "bad-request-url"),
    ],
)
def test_what_is_not_supported_is_refused_and_not_ignored(door: FhirDoor, change: dict[str, Any], reason: str) -> None:
    asked = transaction(patient())
    asked["entry"][0]["request"] |= change
    reply = door.post(asked)
    assert reply.status_code == 400
    assert reason in [one[1] for one in issues(reply)]
    assert _nothing_is_held()


def test_an_entry_without_a_request_is_refused(door: FhirDoor) -> None:
    asked = transaction(patient())
    del asked["entry"][0]["request"]
    assert issues(door.post(asked)) == [("required", "no-request", "Bundle.entry[0].request")]


def test_a_resource_twice_in_one_transaction_is_refused(door: FhirDoor) -> None:
    reply = door.post(transaction(patient(), observation(value=4.0), observation(value=5.0)))
    assert ("duplicate", "duplicate-identity", "Bundle.entry[2]") in issues(reply)
    assert _nothing_is_held()


def test_a_conditional_reference_is_resolved_inside_the_bundle_or_refused(door: FhirDoor) -> None:
    named = patient(identifier=[{"system": "urn:mrn", "value": "7"}])
    by_identifier = observation() | {"subject": {"reference": "Patient?identifier=urn:mrn|7"}}
    assert door.post(transaction(named, by_identifier)).status_code == 200
    stranger = observation("k2") | {"subject": {"reference": "Patient?identifier=urn:mrn|8"}}
    reply = door.post(transaction(stranger))
    assert issues(reply) == [("not-supported", "conditional-reference", "Bundle.entry[0].resource")]


def test_each_entry_of_a_batch_stands_by_itself(door: FhirDoor) -> None:
    asked = transaction(patient(), observation() | {"status": "x"}, observation("k2"), observation("k3"), kind="batch")
    asked["entry"][3]["request"] = {"method": "POST", "url": "Observation", "ifNoneExist": "_id=k3"}
    reply = door.post(asked)
    assert json.loads(reply.content)["type"] == "batch-response"
    assert statuses(reply) == ["201", "400", "201", "400"]
    assert sorted(ResourceVersion.objects.values_list("logical_id", flat=True)) == ["amina", "k2"]
    check_resource(reply.content)


def test_a_refused_entry_of_a_batch_is_counted_in_quarantine(door: FhirDoor) -> None:
    asked = transaction(patient(), kind="batch")
    asked["entry"][0]["request"]["ifNoneExist"] = "identifier=1"
    door.post(asked)
    job = IngestJob.objects.get()
    assert (job.received, job.quarantined, job.quarantine.get().reason) == (1, 1, "conditional-create")


def test_an_older_version_is_told_to_be_history(door: FhirDoor) -> None:
    door.post(transaction(patient(), observation(value=5.0, meta={"versionId": "2"})))
    reply = door.post(transaction(observation(value=4.0, meta={"versionId": "1"})))
    outcome = json.loads(reply.content)["entry"][0]["response"]["outcome"]
    assert (statuses(reply), outcome["issue"][0]["details"]["text"]) == (["200"], "older-version")
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).source_version == "2"


def test_what_names_no_known_patient_is_held_and_said_to_be(door: FhirDoor) -> None:
    nobody = observation() | {"subject": {"display": "somebody"}}
    reply = door.post(transaction(patient(), nobody))
    assert statuses(reply) == ["201", "202"]
    assert IngestJob.objects.get().unassigned == 1


def test_a_deletion_in_a_transaction_takes_effect(door: FhirDoor) -> None:
    door.post(transaction(patient(), observation()))
    gone = {"resourceType": "Bundle", "type": "transaction"}
    gone["entry"] = [{"request": {"method": "DELETE", "url": "Observation/k1"}}]  # type: ignore[assignment]
    assert statuses(door.post(gone)) == ["204"]
    assert ResourceVersion.objects.get(logical_id="k1", is_current=True).deleted


@pytest.mark.parametrize("kind", ["collection", "searchset", "document", "history"])
def test_other_bundles_are_taken_in_as_far_as_they_go(door: FhirDoor, kind: str) -> None:
    reply = door.post(bundle(patient(), observation(), observation("k2") | {"status": "x"}, kind=kind))
    assert reply.status_code == 200
    assert [one[1] for one in issues(reply)] == ["counts", "code-not-allowed"]
    said = json.loads(reply.content)["issue"][0]["diagnostics"]
    assert said == "received 3, stored 2, unchanged 0, superseded 0, unassigned 0, quarantined 1"
    assert ResourceVersion.objects.count() == 2


def _message(*resources: dict[str, Any]) -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "id": "msg-1",
        "eventCoding": {"system": "urn:events", "code": "result"},
        "source": {"endpoint": "https://lab.internal"},
    }
    return bundle(header, *resources, kind="message")


def test_a_message_is_answered_with_a_message(door: FhirDoor) -> None:
    reply = door.post(_message(patient(), observation()))
    answer = json.loads(reply.content)
    header = answer["entry"][0]["resource"]
    assert (reply.status_code, answer["type"]) == (200, "message")
    assert header["response"] == {"identifier": "msg-1", "code": "ok"}
    assert header["eventCoding"] == {"system": "urn:events", "code": "result"}
    assert ResourceVersion.objects.filter(resource_type="Observation").count() == 1
    check_resource(reply.content)


def test_a_message_with_a_bad_part_is_refused_as_a_message(door: FhirDoor) -> None:
    reply = door.post(_message(patient(), observation() | {"status": "x"}))
    answer = json.loads(reply.content)
    assert reply.status_code == 400
    assert answer["entry"][0]["resource"]["response"]["code"] == "fatal-error"
    assert answer["entry"][1]["resource"]["issue"][0]["details"]["text"] == "code-not-allowed"
    assert _nothing_is_held()


def test_a_message_without_its_header_first_is_refused(door: FhirDoor) -> None:
    reply = door.post(bundle(patient(), kind="message"))
    assert issues(reply) == [("structure", "no-message-header", "Bundle.entry[0]")]


@pytest.mark.parametrize("kind", ["transaction-response", "batch-response", "subscription-notification"])
def test_bundles_that_are_no_request_are_refused(door: FhirDoor, kind: str) -> None:
    reply = door.post({"resourceType": "Bundle", "type": kind})
    assert reply.status_code == 400
    assert _nothing_is_held()


def test_a_sender_who_does_not_wait_is_told_where_to_look(door: FhirDoor) -> None:
    reply = door.post(transaction(patient()), Prefer="respond-async")
    where = reply.headers["Content-Location"]
    assert (reply.status_code, IngestJob.objects.get().state) == (202, "received")
    assert door.request("GET", where.removeprefix("https://clinic.internal")).status_code == 202


def test_a_large_bundle_is_left_to_the_workers(door: FhirDoor, settings: Any) -> None:
    settings.INGESTION_FHIR_LIMITS = (1 << 20, 100)
    assert door.post(transaction(patient())).status_code == 202


def test_an_attachment_that_is_not_what_its_hash_says_refuses_the_transaction(door: FhirDoor) -> None:
    wrong = note("Text.")
    wrong["content"][0]["attachment"]["hash"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
    reply = door.post(transaction(patient(), wrong))
    assert (reply.status_code, issues(reply)[0][1]) == (422, "hash-mismatch")
    assert _nothing_is_held()


def test_a_binary_that_an_attachment_names_becomes_part_of_it(door: FhirDoor) -> None:
    words = base64.b64encode(b"Words of the letter.").decode()
    digest = hashlib.sha1(b"Words of the letter.", usedforsecurity=False).digest()
    binary = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": words}
    letter = note("", logical_id="letter")
    letter["content"][0]["attachment"] = {
        "url": "Binary/b1",
        "hash": base64.b64encode(digest).decode(),
    }
    reply = door.post(transaction(patient(), binary, letter))
    assert statuses(reply) == ["201", "200", "201"]
    held = ResourceVersion.objects.get(resource_type="DocumentReference")
    assert json.loads(content_of(held))["content"][0]["attachment"]["data"] == words
    assert not ResourceVersion.objects.filter(resource_type="Binary").exists()
    wrong = letter | {"id": "other"}
    wrong["content"][0]["attachment"]["hash"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert issues(door.post(transaction(binary, wrong)))[0][1] == "hash-mismatch"
