"""Consents with conditions: what can be told from data is withheld, for as long as it is denied; the rest is said.

Source: HL7 FHIR R4 4.0.1, Consent.provision.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clinical.answering import services, stored
from clinical.domain.consent_scope import denials_of
from clinical.models import Answer, AuditEvent, DeletionReceipt, ResourceVersion
from clinical.record.index_check import compare
from ingestion.erasure.repeat import repeat
from ingestion.held.assign import assign
from ingestion.models import UnassignedItem
from ingestion.steps import consents
from tests.erasing import by, held
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in
from tests.scenarios.test_held_assign import person
from tests.scenarios.test_labels_and_consent import CONFIDENTIALITY, WORDS, asked, consent
from tests.unit.test_repeated_receipts import in_effect, receipt

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOTES = {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "DocumentReference"}]}
POTASSIUM = {"code": [{"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}]}
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
    "provision",
    [
        {"actor": [{"role": {"text": "any"}, "reference": {"reference": "Practitioner/x"}}]},
        {"data": [{"meaning": "related", "reference": {"reference": "Observation/k1"}}]},
        {"provision": [{"type": "permit", "purpose": [{"code": "ETREAT"}]}]},
    ],
)
def test_what_cannot_be_told_is_on_the_trail_and_said_where_nothing_is_found(provision: dict[str, Any]) -> None:
    assert loaded(provision=provision) == ALL
    assert AuditEvent.objects.get(action="consent.noted").detail["reason"] == "conditions-not-applied"
    assert "conditions that this product cannot judge" in absence("Is there a history of gout?")["note"]


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


def test_a_denial_for_a_time_begins_and_ends_by_the_clock() -> None:
    start, end = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=3)
    period = {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}
    assert loaded(provision={"period": period}) == ALL
    before, during, after = (start + timedelta(hours=shift) for shift in (-1, 1, 4))

    assert consents.follow_the_clock(since=None, now=before) == 0
    assert consents.follow_the_clock(since=before, now=during) == 1
    assert in_effect() == {"Patient/amina", "Consent/c1"}
    assert consents.follow_the_clock(since=during, now=during + timedelta(minutes=1)) == 0
    assert consents.follow_the_clock(since=during, now=after) == 1
    assert in_effect() == ALL


def test_days_of_a_period_are_part_of_it() -> None:
    (rule,) = denials_of({"type": "deny", "period": {"start": "2026-03-01", "end": "2026-03-02"}}).rules
    moments = [(2026, 2, 28, 23), (2026, 3, 1, 0), (2026, 3, 2, 23), (2026, 3, 3, 0)]
    assert [rule.holds(datetime(*one, tzinfo=UTC)) for one in moments] == [False, True, True, False]


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
