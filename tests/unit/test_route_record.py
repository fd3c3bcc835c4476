"""Questions on the record as a whole: pending, out of range, changed, contradictory, planned; and codes as typed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical.domain.route import CodeAnswer, Topic, answer_by_code, route, vocabulary_of
from tests.unit.fhir_builders import allergy, concept, condition, facts, medication, observation

TODAY = date(2025, 6, 1)
RANGE: dict[str, Any] = {"referenceRange": [{"low": {"value": "3.5", "unit": "mmol/L"}, "high": {"value": "5.1"}}]}
HIGH: dict[str, Any] = {"interpretation": [{"coding": [{"code": "HH"}]}]}


def _report(name: str, on: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport", "id": f"r{name}{on}".replace(" ", ""), "status": "final",
        "code": concept(name), "effectiveDateTime": on, **more,
    }  # fmt: skip


RECORD: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p", "name": [{"family": "Diallo"}], "birthDate": "1950-07-01"},
    observation("Potassium", "4.6", on="2025-01-01", code="2823-3", **RANGE),
    observation("Potassium", "5.6", on="2025-05-10", code="2823-3", **RANGE),
    observation("Sodium", "151", on="2025-05-10", code="2951-2", **HIGH),
    observation("Glucose", "99", "mg/dL", on="2025-05-10"),
    observation("Ferritin", None, "ug/L", on="2025-05-30", status="registered"),
    observation("Lactate", "2.1", on="2025-05-31", status="preliminary"),
    _report("Chest X-ray", "2025-04-01", conclusion="Clear lungs.", conclusionCode=[concept("Normal chest")]),
    _report("Blood culture", "2025-05-29", status="partial"),
    {"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
     "code": concept("Echocardiography"), "authoredOn": "2025-05-20"},
    {"resourceType": "ServiceRequest", "id": "s2", "status": "active", "intent": "order",
     "code": concept("Chest X-ray"), "authoredOn": "2025-03-30"},
    _report("Chest film", "2025-04-02", basedOn=[{"reference": "ServiceRequest/s2"}]),
    medication("Metformin 500 mg", on="2025-05-10", requester={"display": "Dr Ada Brook"}),
    medication("Warfarin 3 mg", status="stopped", on="2025-02-01"),
    {"resourceType": "MedicationStatement", "id": "w", "status": "active", "effectiveDateTime": "2024-12-01",
     "medicationCodeableConcept": concept("Warfarin 3 mg", "855332", "http://www.nlm.nih.gov/research/umls/rxnorm")},
    condition("Hypertension", on="2010-01-01", code=concept("Hypertension", "I10", "http://hl7.org/fhir/sid/icd-10")),
    condition("Gout", on="2025-05-12"),
    allergy("Penicillin"),
    allergy("none", code={"text": "No known drug allergies"}),
    {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"},
     "period": {"start": "2025-05-10", "end": "2025-05-10"},
     "location": [{"location": {"display": "Ward 7"}}]},
    {"resourceType": "Encounter", "id": "e0", "status": "finished", "class": {"code": "AMB"},
     "period": {"start": "2025-01-01", "end": "2025-01-01"}},
    {"resourceType": "Appointment", "id": "a1", "status": "booked", "start": "2025-07-02T09:00:00Z",
     "description": "Anticoagulation clinic"},
    {"resourceType": "Appointment", "id": "a0", "status": "fulfilled", "start": "2025-05-10T09:00:00Z",
     "description": "Review"},
    {"resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan", "title": "Diabetes plan"},
    {"resourceType": "Immunization", "id": "i", "status": "completed", "occurrenceDateTime": "2024-10-01",
     "vaccineCode": concept("Influenza", "140", "http://hl7.org/fhir/sid/cvx")},
    observation("Magnesium", "9", on="2025-05-01", status="entered-in-error"),
]  # fmt: skip
HELD = facts(*RECORD)


def ask(question: str) -> CodeAnswer:
    return answer_by_code(route(question, vocabulary_of(HELD)), HELD, today=TODAY)


@pytest.mark.parametrize(
    ("question", "texts", "not_there"),
    [
        ("any pending results?",
         ["Not reported yet: Ferritin", "Not final: Lactate 2.1", "Not final: Blood culture", "Echocardiography"],
         ["Chest X-ray", "Potassium"]),
        ("is the ferritin back?", ["Not reported yet: Ferritin"], ["Lactate"]),
        ("any abnormal results?",
         ["2 of the latest results of 2 tests", "Flagged critical: Sodium 151", "High: Potassium 5.6"], ["Glucose 99"]),
        ("is her potassium high", ["Potassium 5.6", "above the reference range"], ["4.6"]),
        ("is glucose normal?", ["Glucose 99 mg/dL", "no flag, and no exact number with a range"], []),
        ("what changed since the last visit?",
         ["Read as: after 10-May-2025", "New: Gout", "New: Lactate 2.1"], ["Potassium", "Metformin"]),
        ("what changed since May 2025",
         ["New: Metformin 500 mg", "New: Potassium 5.6 mmol/L on 10-May-2025", "Before: 4.6 mmol/L on 01-Jan-2025"],
         ["Hypertension"]),
        ("any conflicts in the record?", ["(Warfarin 3 mg): ", "(allergies): "], ["Metformin"]),
        ("is she on warfarin", ["Warfarin 3 mg: recorded as taken",
         "Both are recorded: Warfarin 3 mg: ordered on 01-Feb-2025; stopped"], []),
        ("what did the chest x-ray show", ["Clear lungs; coded conclusion Normal chest; final"], []),
        ("who prescribed metformin", ["Ordered by Dr Ada Brook: Metformin 500 mg"], []),
        ("which ward was she on", ["Ward 7"], []),
        ("when is the next appointment", ["Next: Appointment: Anticoagulation clinic on 02-Jul-2025"], ["Review"]),
        ("care plans", ["CarePlan: Diabetes plan"], []),
        ("ICD-10 I10", ["Hypertension: active"], []),
        ("latest LOINC 2823-3", ["Potassium 5.6"], ["4.6"]),
        ("CVX 140", ["Influenza"], []),
        ("RxNorm 855332", ["Warfarin 3 mg: recorded as taken"], []),
        ("glucose in mmol/L", ["99 mg/dL", "99 mg/dL on 10-May-2025 = 5.50 mmol/L, converted by code"], []),
        ("last two potassiums", ["5.6 mmol/L", "4.6 mmol/L", "from 01-Jan-2025 to 10-May-2025: +1.0 mmol/L"], []),
        ("is a flu jab due?", ["Influenza: up to date on 01-Jun-2025", "[CDC Adult Immunization Schedule"], []),
    ],
)  # fmt: skip
def test_the_record_answers_with_its_own_entries(question: str, texts: list[str], not_there: list[str]) -> None:
    answer = ask(question)
    shown = "\n".join(one.text for one in answer.sentences)
    assert answer.answered, answer.absent
    assert all(text in shown for text in texts), shown
    assert not any(text in shown for text in not_there), shown
    assert all(one.citations_from for one in answer.sentences)


@pytest.mark.parametrize("question", ["LOINC 9999-9", "ICD-10 J45", "RxNorm 1191", "who prescribed warfarin"])
def test_what_no_entry_carries_is_not_answered(question: str) -> None:
    assert not ask(question).answered


def test_a_result_that_is_only_registered_or_in_error_is_no_answer_and_said() -> None:
    ferritin, magnesium = ask("latest ferritin"), ask("magnesium")
    assert not ferritin.answered
    assert [one.text for one in ferritin.sentences] == [
        "Not reported yet: Ferritin: no value, pending on 30-May-2025; registered."
    ]
    assert not magnesium.answered
    assert [one.text for one in magnesium.sentences] == ["One entry on this test entered in error is not counted."]
    assert "9" not in magnesium.sentences[0].text


def test_changes_are_grouped_under_headings() -> None:
    headings = [one.heading for one in ask("what changed since May 2025").sentences if one.heading]
    assert list(dict.fromkeys(headings)) == ["Medicines", "Problems", "Results", "Reports", "Visits"]


def test_the_route_names_what_is_looked_up() -> None:
    found = route("any pending results?", vocabulary_of(HELD))
    assert found.intent is not None
    assert (found.intent.topic, found.reason) == (Topic.PENDING, "look-up of pending results: status")
