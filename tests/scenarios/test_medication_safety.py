"""The medication check on a stored record: what a question shows of it, with citations that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clinical.access.services import grant_access
from clinical.answering.fact_citations import FactCiter
from clinical.answering.safety import findings_for
from clinical.domain.passages import Part
from clinical.domain.route import route, vocabulary_of
from clinical.identity.services import find_by_fhir_id
from clinical.knowledge.approvals import Approver, approve, trust
from clinical.record.selectors import facts_of, part_text, version_of
from tests.factories import NOON, bundle, clinician, noon, observation, patient, take_in

if TYPE_CHECKING:
    from clinical.answering.safety import MedicationCheck
    from clinical.domain.access import AccessGrant

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

PHARMACIST = Approver("Rowan Ash", "pharmacist", "demo-clinician")
NAMES = ("ingredients", "products", "classes", "effects")
RULES = ("allergies", "interactions", "duplicates", "dose_limits", "renal_limits", "pregnancy")


def order(drug: str, dosage: str = "1 tablet by mouth once daily") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": drug.split()[0].lower(),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": drug},
        "subject": {"reference": "Patient/amina"},
        "authoredOn": "2026-01-10",
        "dosageInstruction": [{"text": dosage}],
    }


def allergy(substance: str) -> dict[str, Any]:
    active = {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
    return {
        "resourceType": "AllergyIntolerance",
        "id": "allergy",
        "clinicalStatus": {"coding": [active]},
        "code": {"text": substance},
        "patient": {"reference": "Patient/amina"},
        "criticality": "high",
    }


@pytest.fixture
def grant() -> AccessGrant:
    user = clinician()
    take_in(
        bundle(
            patient(),
            order("Warfarin 5 MG Oral Tablet"),
            order("Simvastatin 40 MG Oral Tablet"),
            order("Clarithromycin 500 MG Oral Tablet"),
            order("Foozamab 5 MG Oral Tablet"),
            allergy("Penicillin"),
            observation("egfr", value=24, unit="mL/min/1.73 m2", loinc="98979-8", text="eGFR"),
        )
    )
    found = find_by_fhir_id("amina")
    assert found is not None
    return grant_access(user, found.id, action="question.ask", now=noon())


def asked(question: str, grant: AccessGrant, *, is_summary: bool = False) -> MedicationCheck | None:
    facts = facts_of(grant)
    intent = route(question, vocabulary_of(facts)).intent
    return findings_for(question, intent, facts, today=NOON.date(), trust=trust(), is_summary=is_summary)


def shown(question: str, grant: AccessGrant, *, is_summary: bool = False) -> MedicationCheck:
    found = asked(question, grant, is_summary=is_summary)
    assert found is not None
    return found


def test_every_citation_of_a_finding_is_the_words_of_the_stored_record(grant: AccessGrant) -> None:
    found = shown("What medication is she on?", grant)

    places = [place for one in found.findings for place in one.citations_from]
    citations = FactCiter(grant).cite(places)
    assert citations
    for one in citations:
        text = part_text(version_of(grant, one.span.resource, one.span.version), Part.JSON)
        assert one.quote == text[one.span.start : one.span.end]


def test_a_question_about_medicines_shows_the_whole_check(grant: AccessGrant) -> None:
    found = shown("What medication is she on?", grant)

    assert ("interaction", "contraindicated") in [(one.kind, one.severity) for one in found.findings]
    assert "Checked 3 of 4 medicines" in found.covered
    assert any("Foozamab" in line for line in found.not_checked)


def test_a_summary_shows_the_whole_check(grant: AccessGrant) -> None:
    assert shown("Summarise her", grant, is_summary=True) == shown("any interactions?", grant)


def test_advice_is_checked_as_if_ordered(grant: AccessGrant) -> None:
    found = shown("Can I give her amoxicillin?", grant)

    first = next(one for one in found.findings if one.kind == "allergy-class")
    assert first.severity == "contraindicated"
    assert "amoxicillin is asked about" in first.text
    assert {fact.resource for fact, _ in first.citations_from} == {"AllergyIntolerance/allergy"}


def test_an_unknown_medicine_that_is_asked_about_is_not_checked(grant: AccessGrant) -> None:
    found = shown("Can I give her zarfluxin?", grant)

    assert any(line.startswith("not checked: zarfluxin") for line in found.not_checked)


def test_a_question_about_one_medicine_shows_what_concerns_it_and_what_is_contraindicated(grant: AccessGrant) -> None:
    found = shown("Is she on warfarin?", grant)

    assert {one.severity for one in found.findings if "warfarin" not in one.text.lower()} == {"contraindicated"}
    assert any("warfarin" in one.text.lower() for one in found.findings)
    everything = shown("any interactions?", grant)
    assert len(found.findings) <= len(everything.findings)


def test_any_other_question_shows_only_what_is_contraindicated(grant: AccessGrant) -> None:
    found = shown("What is her latest eGFR?", grant)

    assert {one.severity for one in found.findings} == {"contraindicated"}
    assert found.not_checked == ()
    assert "not shown here" in found.covered


def test_any_other_question_shows_nothing_where_nothing_is_contraindicated() -> None:
    user = clinician()
    take_in(bundle(patient(), order("Amlodipine 5 MG Oral Tablet"), observation()))
    found = find_by_fhir_id("amina")
    assert found is not None
    own = grant_access(user, found.id, action="question.ask", now=noon())

    assert asked("What is her latest potassium?", own) is None


def test_on_a_site_nothing_is_checked_until_the_tables_are_approved(
    grant: AccessGrant, settings: pytest.FixtureRequest
) -> None:
    settings.CLINICAL_PROFILE = "site"  # type: ignore[attr-defined]

    before = shown("What medication is she on?", grant)
    assert before.findings == ()
    assert before.not_checked == ("not checked: all medicines because there is no approved table",)

    for name in (*NAMES, *RULES):
        approve(f"medication_safety.{name}", None, PHARMACIST, now=NOON)
    after = shown("What medication is she on?", grant)
    assert {one.status for one in after.findings} == {"approved"}
    assert "interaction" in {one.kind for one in after.findings}
