"""One matching entry is planted in the record, in every form: no question about it may end in "not documented"."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.answering import stored
from clinical.answering.services import ask, events
from clinical.identity.services import find_by_fhir_id
from clinical.models import IndexChange, PassageRow
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

Json = dict[str, Any]
SUBJECT = {"reference": "Patient/amina"}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
SYSTEMS = {
    "sct": "http://snomed.info/sct",
    "icd": "http://hl7.org/fhir/sid/icd-10-cm",
    "rxn": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "cvx": "http://hl7.org/fhir/sid/cvx",
    "loinc": "http://loinc.org",
}
SHAPES: dict[str, Json] = {
    "Condition": {
        "subject": SUBJECT,
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "recordedDate": "2025-01-01",
    },
    "Procedure": {"subject": SUBJECT, "status": "completed", "performedDateTime": "2025-01-01"},
    "Immunization": {"patient": SUBJECT, "status": "completed", "occurrenceDateTime": "2025-01-01"},
    "AllergyIntolerance": {"patient": SUBJECT},
    "MedicationRequest": {"subject": SUBJECT, "status": "active", "intent": "order", "authoredOn": "2025-01-01"},
    "Observation": {
        "subject": SUBJECT,
        "status": "final",
        "effectiveDateTime": "2025-01-01",
        "valueQuantity": {"value": 7, "unit": "mmol/L"},
    },
}
NAMED_BY = {"Immunization": "vaccineCode", "MedicationRequest": "medicationCodeableConcept"}
# resource type, code system, code, display, questions: by its name, a synonym, an abbreviation, a slip of spelling
PLANTED = [
    ("Condition", "sct", "38341003", "Hypertensive disorder", "Does she have hypertension?"),
    ("Condition", "sct", "38341003", "Hypertensive disorder", "htn?"),
    ("Condition", "sct", "38341003", "Hypertensive disorder", "does she have high blood pressure"),
    ("Condition", "sct", "38341003", "Hypertensive disorder", "does she have hypertnsion"),
    ("Condition", "sct", "22298006", "Myocardial infarction", "Has she had a heart attack?"),
    ("Condition", "sct", "22298006", "Myocardial infarction", "history of MI?"),
    ("Condition", "sct", "44054006", "Diabetes mellitus type 2", "Is she diabetic?"),
    ("Condition", "sct", "44054006", "Diabetes mellitus type 2", "does she have T2DM?"),
    ("Condition", "icd", "J45.909", "Asthma", "Does she have asthma?"),
    ("Condition", "icd", "E11.65", "Type 2 diabetes mellitus", "Does she have diabetes?"),
    ("Procedure", "sct", "73761001", "Colonoscopy", "Has she ever had a colonoscopy?"),
    ("Procedure", "sct", "73761001", "Colonoscopy", "when was her colonscopy"),
    ("Procedure", "sct", "80146002", "Appendectomy", "Has she had her appendix out?"),
    ("Procedure", "sct", "232717009", "Coronary artery bypass grafting", "Has she had a CABG?"),
    ("Procedure", "sct", "232717009", "Coronary artery bypass grafting", "any bypass surgery?"),
    ("Immunization", "cvx", "140", "Influenza, seasonal, injectable", "Has she had a flu shot?"),
    ("Immunization", "cvx", "115", "Tdap", "Has she had a tetanus shot?"),
    ("AllergyIntolerance", "rxn", "7980", "Penicillin G", "Is she allergic to penicillin?"),
    ("MedicationRequest", "rxn", "29046", "Lisinopril", "Is she on lisinopril?"),
    ("MedicationRequest", "rxn", "29046", "Lisinopril", "is she taking an ACE inhibitor?"),
    ("MedicationRequest", "rxn", "4603", "Furosemide", "is she on a water tablet?"),
    ("MedicationRequest", "rxn", "4603", "Furosemide", "does she take Lasix?"),
    ("Observation", "loinc", "2951-2", "Sodium [Moles/volume] in Serum or Plasma", "latest Na?"),
    ("Observation", "loinc", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "What was her A1c?"),
    ("Observation", "loinc", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "creat?"),
]
NOTES = [
    ("Had a myocardial infarction in 2019.", "Has she had a heart attack?"),
    ("PMH: HTN, T2DM.", "Does she have high blood pressure?"),
    ("Takes Lasix 40 mg every morning.", "is she on a water tablet?"),
    ("Known penicilin allergy: rash.", "Is she allergic to penicillin?"),
    ("Denies chest pain.", "does she have chest pain"),
    ("Colonoscopy last spring was clear.", "Has she ever had a colonoscopy?"),
    ("Smokes five cigarettes a day.", "Is she a smoker?"),
    ("Retired bus driver, lives with her sister.", "who does she live with"),
    ("Walks with a frame.", "does she use a walker?"),
    ("Flu jab given at the pharmacy.", "Has she had a flu shot?"),
    ("Ferritin 12, iron tablets begun.", "what was her ferritin"),
    ("Sleep study: severe apnoea.", "what did the sleep study show"),
]


def coded(kind: str, concept: Json, **more: Any) -> Json:
    return {"resourceType": kind, "id": "x1", NAMED_BY.get(kind, "code"): concept} | SHAPES[kind] | more


def status_of(question: str) -> str:
    user = clinician()
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = ask(user, found.id, question, clock=noon)
    return str(stored.as_json(events(asked.id, user, clock=noon))["status"])


@pytest.fixture
def other_things() -> None:
    """A record that holds something, but nothing of what is asked about."""
    take_in(bundle(patient(), observation(loinc="2345-7", text="Glucose [Mass/volume] in Blood")))
    take_in(bundle(note("She keeps bees and feels well. Eyes checked in autumn.", logical_id="filler")))


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize("form", ["code", "display", "text"])
@pytest.mark.parametrize(("kind", "system", "code", "display", "question"), PLANTED)
def test_a_coded_entry_is_found(kind: str, system: str, code: str, display: str, question: str, form: str) -> None:
    forms: dict[str, Json] = {
        "code": {"coding": [{"system": SYSTEMS[system], "code": code}]},
        "display": {"coding": [{"system": SYSTEMS[system], "code": code, "display": display}]},
        "text": {"text": display},
    }
    take_in(bundle(coded(kind, forms[form])))

    assert status_of(question) == "answered"


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize("question", sorted({row[-1] for row in PLANTED} | {asked for _, asked in NOTES}))
def test_where_nothing_is_planted_it_says_so(question: str) -> None:
    assert status_of(question) == "not_documented"


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize(("sentence", "question"), NOTES)
def test_a_sentence_of_a_note_is_found(sentence: str, question: str) -> None:
    take_in(bundle(note(f"Came on foot. {sentence} Next visit in a year.")))

    assert status_of(question) == "answered"


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize("sentence", ["Colonoscopy in 2019: normal."])
def test_it_is_found_in_a_late_passage_under_an_unusual_heading(sentence: str) -> None:
    filler = "\n\n".join(
        f"ROUND {number}\n\n" + "The garden keeps her busy and she sleeps well. " * 8 for number in range(9)
    )
    take_in(bundle(note(f"{filler}\n\nBITS AND PIECES\n\n{sentence}\n\n{filler}")))

    assert PassageRow.objects.count() > 5
    assert status_of("Has she ever had a colonoscopy?") == "answered"


@pytest.mark.usefixtures("other_things")
def test_what_has_just_arrived_and_is_not_in_the_index_is_found() -> None:
    take_in(bundle(note("Colonoscopy in 2019: normal.")), index=False)

    assert IndexChange.objects.exists()
    assert status_of("Has she ever had a colonoscopy?") == "answered"


@pytest.mark.usefixtures("other_things")
def test_it_is_found_in_a_report_and_as_a_component() -> None:
    systolic = {"coding": [{"system": SYSTEMS["loinc"], "code": "8480-6"}], "text": "Systolic blood pressure"}
    part = {"code": systolic, "valueQuantity": {"value": 131, "unit": "mm[Hg]"}}
    panel = observation("bp", loinc="85354-9", text="Blood pressure panel", component=[part])
    take_in(
        bundle(
            {
                "resourceType": "DiagnosticReport",
                "id": "r1",
                "status": "final",
                "code": {"text": "Echocardiogram"},
                "subject": SUBJECT,
                "conclusion": "Ejection fraction 38 percent, moderate mitral regurgitation.",
            },
            {name: value for name, value in panel.items() if name != "valueQuantity"},
        )
    )

    assert status_of("what was the ejection fraction") == "answered"
    assert status_of("systolic blood pressure?") == "answered"


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize(
    ("entry", "question"),
    [
        (
            coded("Condition", {"text": "Asthma"}, verificationStatus={"coding": [{"code": "entered-in-error"}]}),
            "Does she have asthma?",
        ),
        (coded("MedicationRequest", {"text": "Lisinopril"}, status="entered-in-error"), "Is she on lisinopril?"),
        (coded("AllergyIntolerance", {"text": "Penicillin G"}), "Is she taking penicillin?"),
        (
            {
                "resourceType": "FamilyMemberHistory",
                "id": "f1",
                "status": "completed",
                "patient": SUBJECT,
                "relationship": {"text": "Mother"},
                "condition": [{"code": {"text": "Asthma"}}],
            },
            "Does she have asthma?",
        ),
    ],
)
def test_an_entry_that_says_something_else_is_no_answer(entry: Json, question: str) -> None:
    take_in(bundle(entry))

    assert status_of(question) != "answered"


@pytest.mark.usefixtures("other_things")
@pytest.mark.parametrize("status", ["stopped", "completed", "on-hold"])
def test_a_medicine_no_longer_taken_is_told_and_not_called_missing(status: str) -> None:
    take_in(bundle(coded("MedicationRequest", {"text": "Lisinopril"}, status=status)))

    assert status_of("Is she on lisinopril?") == "answered"


@pytest.mark.usefixtures("other_things")
def test_an_inactive_condition_is_found() -> None:
    ended = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    take_in(bundle(coded("Condition", {"text": "Asthma"}, clinicalStatus=ended)))

    assert status_of("Has she had asthma?") == "answered"
