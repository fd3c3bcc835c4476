"""A security label that is added, and a consent that is withdrawn: record, index and saved answers follow; both ways.

Sources: HL7 FHIR R4 4.0.1, Resource.meta.security, DocumentReference.securityLabel and Consent; HL7 v3
Confidentiality.
"""

from __future__ import annotations

from typing import Any

import pytest

from clinical.access.services import grant_access
from clinical.answering import services, stored
from clinical.domain.consent import Stance, stance_of
from clinical.domain.passages import RetrievalQuery
from clinical.models import Answer, AuditEvent, DeletionReceipt, FactRow, PassageRow, ResourceVersion
from clinical.ports import backends
from clinical.record.index_check import compare
from clinical.record.selectors import all_passages_of, facts_of
from ingestion.models import UnassignedItem
from tests.erasing import held
from tests.factories import NOON, bundle, clinician, noon, note, observation, patient, take_in
from tests.unit.test_patient_deleted import deletion

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RESTRICTED = [{"system": CONFIDENTIALITY, "code": "R"}]
WORDS = "She takes apixaban for atrial fibrillation."


def labelled(number: str, *, on: bool) -> dict[str, Any]:
    return {"versionId": number, **({"security": RESTRICTED} if on else {})}


def asked(question: str = "What is the latest potassium?") -> str:
    made = services.ask(clinician(), held("amina").id, question, clock=noon)
    return str(stored.as_json(services.events(made.id, clinician(), clock=noon))["sentences"])


def seen() -> tuple[int, int]:
    """Return how many facts beside the Patient and how many passages a clinician is shown."""
    grant = grant_access(clinician(), held("amina").id, action="chart.view", now=NOON)
    return len([one for one in facts_of(grant) if one.row.resource_type != "Patient"]), len(all_passages_of(grant))


def consent(
    logical_id: str = "c1", *, status: str = "active", rule: str = "deny", version: str = "1", **more: Any
) -> dict[str, Any]:
    provision = more.pop("provision", {})
    return {
        "resourceType": "Consent",
        "id": logical_id,
        "meta": {"versionId": version},
        "status": status,
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/amina"},
        "policyRule": {"coding": [{"code": "OPTOUT"}]},
        "provision": {"type": rule, **provision},
        **more,
    }


def test_a_label_added_later_takes_a_result_and_a_note_out_of_answers_and_index_and_back() -> None:
    take_in(bundle(patient(), observation(meta=labelled("1", on=False)), note(WORDS, meta=labelled("1", on=False))))
    assert "4.1" in asked()
    before = seen()

    take_in(bundle(observation(meta=labelled("2", on=True)), note(WORDS, meta=labelled("2", on=True))))

    assert seen() == (0, 0)
    assert "4.1" not in asked()
    [saved] = Answer.objects.filter(stale_reason="restricted")
    replayed = stored.as_json(services.events(saved.question_id, clinician(), clock=noon))
    assert (replayed["stale"]["reason"], replayed["sentences"], replayed["sources"]) == ("restricted", [], [])
    assert compare().equal  # the vectors are there, under their label, and no search finds them
    grant = grant_access(clinician(), held("amina").id, action="chart.view", now=NOON)

    assert backends().retriever.retrieve(RetrievalQuery("apixaban"), grant=grant) == []
    told = DeletionReceipt.objects.get(reason="label-added", resource="Observation/k1")
    assert told.before == {"facts": 1, "passages": 0}
    assert told.after == {"facts": 0, "passages": 0, "hidden_facts": 1, "hidden_passages": 0}

    take_in(bundle(observation(meta=labelled("3", on=False)), note(WORDS, meta=labelled("3", on=False))))

    assert seen() == before
    assert "4.1" in asked()
    back = DeletionReceipt.objects.get(reason="label-removed", resource="DocumentReference/note-1")
    assert (back.before["hidden_passages"], back.after["passages"]) == (1, 1)


def test_the_label_of_a_document_itself_counts_too() -> None:
    take_in(bundle(patient(), note(WORDS)))

    take_in(note(WORDS, meta={"versionId": "2"}, securityLabel=[{"coding": RESTRICTED}]))

    assert seen() == (0, 0)
    assert PassageRow.objects.count() == 1


def test_consent_withdrawn_takes_the_record_out_and_given_again_brings_it_back() -> None:
    take_in(bundle(patient(), observation(), note(WORDS)))
    assert "4.1" in asked()
    amina, before = held("amina"), seen()

    take_in(consent())

    assert "4.1" not in asked()
    assert not PassageRow.objects.filter(patient=amina).exists()
    assert list(backends().index.passage_ids()) == []
    kinds = set(FactRow.objects.filter(patient=amina).values_list("version__resource_type", flat=True))
    assert kinds == {"Patient", "Consent"}
    assert Answer.objects.order_by("finished_at", "pk")[0].stale_since is not None
    receipt = DeletionReceipt.objects.get(reason="consent-withdrawn")
    assert (receipt.resource, receipt.before) == ("Consent/c1", {"versions": 2, "facts": 2, "passages": 1})
    assert ResourceVersion.objects.filter(patient=amina).count() == 4  # history stays

    assert take_in(observation("k2")).unassigned == 1
    assert UnassignedItem.objects.get().reason == "consent-withdrawn"

    take_in(consent(rule="permit", version="2"))

    assert seen()[1] == before[1]
    assert "4.1" in asked()
    assert compare().equal


def test_a_consent_that_has_ended_closes_unless_another_permits() -> None:
    take_in(bundle(patient(), note(WORDS), consent(rule="permit")))
    assert seen()[1] == 1

    take_in(consent("c2", rule="permit"))
    take_in(consent(status="inactive", rule="permit", version="2"))
    assert seen()[1] == 1

    take_in(consent("c2", status="inactive", rule="permit", version="2"))
    assert seen()[1] == 0


def test_a_consent_deleted_or_in_error_denies_nothing() -> None:
    take_in(bundle(patient(), note(WORDS), consent()))
    assert seen()[1] == 0

    take_in(deletion("Consent", "c1"))

    assert seen()[1] == 1


def test_another_patients_record_is_never_closed() -> None:
    take_in(bundle(patient(), note(WORDS), patient("berta", birthDate="1950-01-01")))

    take_in(consent(patient={"reference": "Patient/berta"}))

    assert seen()[1] == 1


def test_a_denial_for_persons_that_cannot_be_told_closes_the_record_and_is_noted() -> None:
    take_in(bundle(patient(), note(WORDS)))

    take_in(consent(provision={"actor": [{"role": {"text": "insurer"}, "reference": {"display": "Insurer"}}]}))

    assert seen() == (1, 0)  # the Consent itself
    entry = AuditEvent.objects.get(action="consent.noted")
    assert entry.detail == {"resource": "Consent/c1", "reason": "denial-applied-more-widely"}


@pytest.mark.parametrize(
    ("resource", "stance"),
    [
        (consent(), Stance.DENIES),
        (consent(status="rejected", rule="permit"), Stance.DENIES),
        (consent(rule="permit"), Stance.PERMITS),
        (consent(status="draft"), Stance.NOTHING),
        (consent(status="inactive"), Stance.ENDED),
        (consent(provision={"purpose": [{"code": "HMARKT"}]}), Stance.NOTHING),
        (consent(provision={"purpose": [{"code": "TREAT"}]}), Stance.DENIES),
        (consent(provision={"purpose": []}), Stance.DENIES),
        (consent(provision={"purpose": [{"code": "a-site's-own"}]}), Stance.CONDITIONAL),
        (consent(provision={"actor": [{}]}), Stance.CONDITIONAL),
        (consent(rule="permit", provision={"actor": [{}]}), Stance.CONDITIONAL),
        (consent(rule="permit", provision={"purpose": [{"code": "HRESCH"}]}), Stance.NOTHING),
        (consent(provision={"provision": [{"type": "permit", "purpose": [{"code": "ETREAT"}]}]}), Stance.CONDITIONAL),
        (consent(rule="permit", provision={"provision": [{"type": "deny"}]}), Stance.CONDITIONAL),
        (consent(provision={"type": ""}), Stance.DENIES),  # the policy rule is an opt-out
        (consent(provision={"type": ""}, policyRule={"coding": [{"code": "OPTIN"}]}), Stance.PERMITS),
        (consent(provision={"type": "", "provision": [{"type": "permit"}]}), Stance.CONDITIONAL),
        (consent(scope={"coding": [{"code": "research"}]}), Stance.NOTHING),
        (consent(provision={"action": [{"coding": [{"code": "disclose"}]}]}), Stance.NOTHING),
        (patient(), Stance.NOTHING),
    ],
)
def test_what_a_consent_says(resource: dict[str, Any], stance: Stance) -> None:
    assert stance_of(resource) is stance
