"""Prefetch of CDS Hooks 2.0: missing, partial, null, an error, and pages.

Source: CDS Hooks 2.0, "Prefetch Template": "If the CDS Client has no data to populate a template prefetch key, the
prefetch template key MUST have a value of null"; on an error the key is left out, and no next page is allowed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests import cds_client
from tests.cds_client import element, hook, order, reason, sign
from tests.factories import bundle, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])

ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}
ALLERGY = {
    "resourceType": "AllergyIntolerance", "id": "a1", "clinicalStatus": ACTIVE, "code": {"text": "Penicillin"},
    "patient": {"reference": "Patient/amina"},
}  # fmt: skip
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
DRAFT = order("Loratadine 10 mg tablet", dosageInstruction=[{"text": "1 tablet once daily"}])
AMOXICILLIN = order(dosageInstruction=[{"text": "1 capsule three times daily"}])


def searchset(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {}), **more}


def said(machines: Machines, draft: dict[str, Any], prefetch: dict[str, Any] | None) -> str:
    return json.dumps(machines.cards("order-sign", sign(draft, prefetch=prefetch)))


@pytest.fixture
def _allergic() -> None:
    take_in(bundle(patient(), ALLERGY | {"code": {"text": "Codeine"}, "id": "a0"}))


@pytest.mark.usefixtures("_allergic")
@pytest.mark.parametrize(
    "prefetch",
    [None, {}, {"allergies": None}, {"allergies": None, "medications": None, "patient": None}, {"unknown": 7}],
    ids=["missing", "empty", "null", "all null", "not asked for"],
)
def test_missing_and_null_are_no_error(machines: Machines, prefetch: dict[str, Any] | None) -> None:
    assert machines.cards("order-sign", sign(DRAFT, prefetch=prefetch)) == []


@pytest.mark.usefixtures("_allergic")
@pytest.mark.parametrize(
    "value",
    [
        ERROR,
        searchset(ERROR),
        searchset(link=[{"relation": "next", "url": "https://ehr.internal/r4?page=2"}]),
        searchset(total=3),
        patient(),
    ],
    ids=["outcome", "outcome in the searchset", "first page only", "fewer than there are", "another type"],
)
def test_an_error_or_a_page_is_said_and_the_record_held_here_counts(machines: Machines, value: dict[str, Any]) -> None:
    (card,) = machines.cards("order-sign", sign(DRAFT, prefetch={"allergies": value}))
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Not checked: allergies as the calling system holds them now")


@pytest.mark.usefixtures("_allergic")
def test_an_information_beside_the_results_is_no_error(machines: Machines) -> None:
    note = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
    assert machines.cards("order-sign", sign(DRAFT, prefetch={"allergies": searchset(note)})) == []


@pytest.mark.parametrize("value", [ERROR, None, searchset()], ids=["outcome", "null", "no hits"])
def test_nothing_sent_never_reads_as_no_allergies(machines: Machines, value: Any) -> None:
    """The record holds no allergy entry either: that is said as not checked, whatever came in the prefetch."""
    take_in(bundle(patient()))
    text = said(machines, AMOXICILLIN, {"allergies": value}).lower()
    assert "no allergy entry of any kind" in text
    assert "not checked" in text
    for claim in ("no known allerg", "no allergies", "not allergic"):
        assert claim not in text


def test_an_outcome_alone_is_no_data(machines: Machines) -> None:
    reply = machines.call("order-sign", sign(DRAFT, fhirServer=None, prefetch={"patient": ERROR, "allergies": ERROR}))
    assert (reply.status_code, reason(reply)) == (412, "unmapped-patient")


def test_what_is_sent_along_counts_beside_the_record(machines: Machines) -> None:
    take_in(bundle(patient()))
    text = said(machines, AMOXICILLIN, {"allergies": searchset(ALLERGY)})
    assert "Allergy or intolerance to Penicillin is recorded" in text


def test_what_is_sent_along_stands_in_place_of_the_copy_held_here(machines: Machines) -> None:
    take_in(bundle(patient(), ALLERGY))
    assert "Penicillin" in said(machines, AMOXICILLIN, {"allergies": None})
    corrected = ALLERGY | {"clinicalStatus": {"coding": [{"code": "resolved"}]}}
    sent = {"allergies": searchset(corrected, ALLERGY | {"id": "a2", "code": {"text": "Codeine"}})}
    assert "Penicillin" not in said(machines, AMOXICILLIN, sent)


@pytest.mark.parametrize(
    ("prefetch", "path"),
    [
        ({"patient": {"resourceType": "Patient", "id": "bea"}}, "prefetch.patient.id"),
        ({"allergies": searchset(ALLERGY | {"patient": {"reference": "Patient/bea"}})}, "prefetch.allergies"),
    ],
)
def test_data_of_another_patient_is_refused(machines: Machines, prefetch: dict[str, Any], path: str) -> None:
    take_in(bundle(patient()))
    reply = machines.call("order-sign", sign(DRAFT, prefetch=prefetch))
    assert (reply.status_code, reason(reply), element(reply)) == (400, "bad-value", path)


def test_a_patient_resource_alone_maps_by_a_known_identifier(machines: Machines) -> None:
    take_in(bundle(patient(identifier=[{"system": "urn:mrn", "value": "77"}])))
    sent = {"resourceType": "Patient", "id": "x9", "identifier": [{"system": "urn:mrn", "value": "77"}, "broken"]}
    assert machines.cards("patient-view", hook(patient="x9", fhirServer=None, prefetch={"patient": sent})) == []


@pytest.mark.parametrize("server", [None, "https://other.internal/r4"], ids=["not named", "not registered"])
def test_the_same_id_of_a_server_that_is_not_known_takes_no_allergy_away(
    machines: Machines, server: str | None
) -> None:
    numbered = patient(identifier=[{"system": "urn:mrn", "value": "MC-1"}])
    take_in(bundle(numbered, ALLERGY))
    latex = {"allergies": searchset(ALLERGY | {"code": {"text": "Latex"}}), "patient": numbered}
    text = json.dumps(machines.cards("order-sign", sign(AMOXICILLIN, fhirServer=server, prefetch=latex)))
    assert "Allergy or intolerance to Penicillin is recorded" in text


@pytest.mark.parametrize("reference", ["Patient/amina/_history/2", "https://ehr.internal/r4/Patient/amina", "#him"])
def test_a_reference_may_name_a_version_a_server_or_what_is_contained(machines: Machines, reference: str) -> None:
    take_in(bundle(patient()))
    text = said(machines, AMOXICILLIN, {"allergies": searchset(ALLERGY | {"patient": {"reference": reference}})})
    assert "Allergy or intolerance to Penicillin is recorded" in text


def test_what_is_included_does_not_count_as_a_match(machines: Machines) -> None:
    take_in(bundle(patient()))
    beside = {"resource": patient(), "search": {"mode": "include"}}
    sent = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": ALLERGY}, beside]}
    assert "as the calling system holds them now" not in said(machines, AMOXICILLIN, {"allergies": sent})
