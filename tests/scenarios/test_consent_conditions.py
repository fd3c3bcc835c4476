"""Consents with conditions: what is denied is withheld, for as long as it is denied; what cannot be told is said.

A condition that cannot be told makes a denial wider and a permission void.

Source: HL7 FHIR R4 4.0.1, Consent.provision.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from clinical.answering import services, stored
from clinical.models import Answer, AuditEvent, DeletionReceipt, ResourceVersion
from clinical.record.index_check import compare
from ingestion.erasure.repeat import repeat
from ingestion.held.assign import assign
from ingestion.models import UnassignedItem
from tests.erasing import by, held
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in
from tests.scenarios.test_held_assign import person
from tests.scenarios.test_labels_and_consent import CONFIDENTIALITY, WORDS, asked, consent
from tests.unit.test_repeated_receipts import in_effect, receipt

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOTES = {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "DocumentReference"}]}
POTASSIUM = {"code": [{"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}]}
ACTOR = [{"role": {"text": "any"}, "reference": {"reference": "Practitioner/x"}}]
ALL = {"Patient/amina", "Consent/c1", "Observation/k1", "DocumentReference/note-1"}


def loaded(**consented: Any) -> set[str]:
    take_in(bundle(patient(), observation(), note(WORDS)))
    take_in(consent(**consented))
    return in_effect()


@pytest.mark.parametrize(
    ("provision", "withheld"),
    [
        (NOTES, {"DocumentReference/note-1"}),
        (POTASSIUM, {"Observation/k1"}),
        ({"data": [{"meaning": "instance", "reference": {"reference": "Observation/k1"}}]}, {"Observation/k1"}),
        ({"dataPeriod": {"end": "2025"}}, set()),
        ({"dataPeriod": {"start": "2026-02", "end": "2026-02"}}, {"Observation/k1", "DocumentReference/note-1"}),
        ({"provision": [{"type": "permit", **POTASSIUM}]}, {"DocumentReference/note-1"}),
        ({"provision": [{"type": "permit", **NOTES}, {"type": "permit", **POTASSIUM}]}, set()),
    ],
)
def test_a_denial_takes_out_what_it_names_and_no_more(provision: dict[str, Any], withheld: set[str]) -> None:
    assert loaded(provision=provision) == ALL - withheld
    assert compare().equal
    told = DeletionReceipt.objects.filter(reason="consent-limited").values_list("resource", flat=True)
    assert set(told) == withheld
    assert not AuditEvent.objects.filter(action="consent.noted").exists()


def test_an_exception_to_a_permission_is_a_denial_too() -> None:
    left = loaded(rule="permit", provision={"provision": [{"type": "deny", **NOTES}]})
    assert left == ALL - {"DocumentReference/note-1"}
    assert "4.1" in asked()


@pytest.mark.parametrize(("policy", "withheld"), [("OPTOUT", {"Observation/k1"}), ("OPTIN", set())])
def test_the_policy_rule_is_the_rule_of_a_root_that_names_none(policy: str, withheld: set[str]) -> None:
    take_in(bundle(patient(), observation(), note(WORDS)))
    resource = consent(policyRule={"coding": [{"code": policy}]})
    take_in({**resource, "provision": {"provision": [{"type": "permit", **NOTES}]}})
    assert in_effect() == ALL - withheld


def test_labelled_resources_are_withheld_by_their_label() -> None:
    sensitive = [{"system": CONFIDENTIALITY, "code": "L"}]
    take_in(bundle(patient(), observation(meta={"security": sensitive}), note(WORDS)))
    take_in(consent(provision={"securityLabel": sensitive}))
    assert in_effect() == ALL - {"Observation/k1"}


def test_saved_answers_arrivals_and_the_way_back_follow_a_denial_of_a_part() -> None:
    take_in(bundle(patient(), observation(), note(WORDS)))
    assert "4.1" in asked()

    take_in(consent(provision=POTASSIUM))

    assert Answer.objects.get().stale_reason == "restricted"
    assert take_in(observation("k2")).unassigned == 1
    assert take_in(note("He sleeps well.", logical_id="note-2")).stored == 1
    take_in(consent(rule="permit", version="2"))
    assert in_effect() == ALL | {"DocumentReference/note-2"}


@pytest.mark.parametrize(
    ("provision", "withheld"),
    [
        ({**NOTES, "actor": ACTOR}, {"DocumentReference/note-1"}),
        ({**NOTES, "purpose": [{"system": "urn:of-a-site", "code": "X"}]}, {"DocumentReference/note-1"}),
        (
            {"provision": [{"type": "permit", **NOTES, "actor": ACTOR}, {"type": "permit", **POTASSIUM}]},
            {"DocumentReference/note-1"},
        ),
    ],
)
def test_what_cannot_be_told_is_withheld_put_on_the_trail_and_said(
    provision: dict[str, Any], withheld: set[str]
) -> None:
    assert loaded(provision=provision) == ALL - withheld
    assert AuditEvent.objects.get(action="consent.noted").detail["reason"] == "denial-applied-more-widely"
    note = absence("Is there a history of gout?")["note"]
    assert "part of the record is withheld" in note
    assert "applied more widely than written" in note


@pytest.mark.parametrize(
    "provision",
    [
        {"actor": ACTOR},
        {"data": [{"meaning": "related", "reference": {"reference": "Observation/k1"}}]},
        {"provision": [{"type": "permit", "actor": ACTOR}]},
    ],
)
def test_a_denial_of_which_nothing_can_be_told_closes_the_record(provision: dict[str, Any]) -> None:
    assert loaded(provision=provision) == {"Patient/amina", "Consent/c1"}
    told = absence("Is there a history of gout?")
    assert told["closed"] is True
    assert "applied more widely than written" in told["note"]


@pytest.mark.parametrize("code", ["HRESCH", "HMARKT"])
def test_a_denial_for_others_purposes_withholds_nothing_and_is_not_on_the_trail(code: str) -> None:
    assert loaded(provision={"actor": ACTOR, "purpose": [{"code": code}]}) == ALL
    assert not AuditEvent.objects.filter(action="consent.noted").exists()
    assert "applied more widely" not in absence("Is there a history of gout?")["note"]


def test_an_exception_for_one_of_our_purposes_holds() -> None:
    left = loaded(provision={"provision": [{"type": "permit", "purpose": [{"code": "ETREAT"}, {"code": "HRESCH"}]}]})
    assert left == ALL
    assert "withheld" not in absence("Is there a history of gout?")["note"]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({}, ALL),
        ({"purpose": [{"code": "TREAT"}]}, ALL),
        (NOTES, ALL - {"Observation/k1"}),
        ({"period": {"end": "2020"}}, {"Patient/amina", "Consent/c1"}),
        ({"actor": ACTOR}, {"Patient/amina", "Consent/c1"}),
        ({"purpose": [{"code": "HRESCH"}]}, {"Patient/amina", "Consent/c1"}),
    ],
)
def test_what_another_consent_permits_stays_when_one_has_ended(condition: dict[str, Any], left: set[str]) -> None:
    loaded(rule="permit")
    take_in(consent("c2", rule="permit", provision=condition))
    take_in(consent(status="inactive", rule="permit", version="2"))
    assert in_effect() == left | {"Consent/c2"}
    assert compare().equal


def test_a_record_closed_though_another_consent_may_permit_is_said_to_be_so() -> None:
    loaded(rule="permit")
    take_in(consent("c2", rule="permit", provision={"actor": ACTOR}))
    take_in(consent(status="inactive", rule="permit", version="2"))
    assert "applied more widely than written" in absence("Is there a history of gout?")["note"]


@pytest.mark.parametrize("condition", [{"actor": ACTOR}, {"provision": [{"type": "deny", **NOTES}]}])
def test_a_permission_with_conditions_that_has_ended_closes_the_record(condition: dict[str, Any]) -> None:
    loaded(rule="permit", provision=condition)
    take_in(consent(status="inactive", rule="permit", provision=condition, version="2"))
    assert in_effect() == {"Patient/amina", "Consent/c1"}


def test_a_permission_that_cannot_be_told_is_on_the_trail_and_withholds_nothing_by_itself() -> None:
    assert loaded(rule="permit", provision={"actor": ACTOR}) == ALL
    assert AuditEvent.objects.get(action="consent.noted").detail["reason"] == "permission-not-applied"


def absence(question: str) -> dict[str, Any]:
    made = services.ask(clinician(), held("amina").id, question, clock=noon)
    found: dict[str, Any] = stored.as_json(services.events(made.id, clinician(), clock=noon))
    assert (found["status"], found["sentences"]) == ("not_documented", [])
    return dict(found["absence"])


@pytest.mark.parametrize("question", ["What is the latest potassium?", "Any allergies?", "Summarise the patient"])
def test_a_closed_record_is_said_to_be_closed_and_never_not_documented(question: str) -> None:
    loaded()
    told = absence(question)
    assert told["closed"] is True
    assert "withdrawn consent" in told["note"]
    assert "Not documented" not in told["note"]


def test_a_part_withheld_is_said_where_nothing_is_found() -> None:
    loaded(provision=NOTES)
    assert "part of the record is withheld" in absence("Is there a history of gout?")["note"]


def test_a_person_cannot_assign_into_a_closed_record() -> None:
    take_in(bundle(patient(), observation(), note(WORDS)))
    take_in(consent())
    assert take_in(observation("k2")).unassigned == 1
    item = UnassignedItem.objects.get()

    (done,) = assign([item.pk], held("amina").id, why="asked-the-ward", by=person("privacy"))

    assert (done.effect, done.refused) == ("", "consent-withdrawn")
    assert not ResourceVersion.objects.filter(logical_id="k2").exists()


def test_after_a_restore_what_a_consent_withheld_is_withheld_again_and_nothing_is_deleted() -> None:
    take_in(bundle(patient(), observation(), note(WORDS)))

    repeat(receipt("Observation/k1", "consent-limited"), by=by())

    assert in_effect() == {"Patient/amina", "DocumentReference/note-1"}
    assert not ResourceVersion.objects.filter(deleted=True).exists()


def test_the_chart_of_a_closed_record_says_so_and_claims_no_absence() -> None:
    loaded()
    client = Client()
    client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/patients/{held('amina').id}/").content.decode()
    assert "The record is closed" in page
    assert page.count("Not shown: consent withdrawn") == 2
    take_in(consent(rule="permit", version="2"))
    assert "consent withdrawn" not in client.get(f"/patients/{held('amina').id}/").content.decode()
