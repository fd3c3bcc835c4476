"""Valid R4 resources for the tests of the checker, with places where faults can be planted."""

from __future__ import annotations

from typing import Any

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def observation() -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "obs-1",
        "meta": {"lastUpdated": "2024-02-29T10:00:00.000+01:00"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "subject": {"reference": "Patient/amina"},
        "effectiveDateTime": "2024-02-29T10:00:00+01:00",
        "issued": "2024-02-29T10:05:00Z",
        "valueQuantity": {"value": 4.10, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        "referenceRange": [{"low": {"value": 3.5}, "text": "3.5 to 5.1"}],
        "component": [{"code": {"text": "a part"}, "valueString": "seen"}],
        "note": [{"text": "no haemolysis"}],
    }


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "amina",
        "active": True,
        "identifier": [{"system": "http://clinic.example/mrn", "value": "1"}],
        "name": [{"family": "Diallo", "given": ["Amina"]}],
        "gender": "female",
        "birthDate": "1961-03-04",
        "multipleBirthInteger": 1,
        "telecom": [{"system": "phone", "value": "1", "rank": 1}],
        "communication": [{"language": {"text": "French"}}],
        "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
    }


def condition() -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "code": {"text": "asthma"},
        "subject": {"reference": "Patient/amina"},
        "onsetDateTime": "2019",
        "recordedDate": "2019-05",
    }


def medication_request() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "metformin"},
        "subject": {"reference": "Patient/amina"},
        "authoredOn": "2024-01-01",
        "dosageInstruction": [{"asNeededBoolean": False, "timing": {"repeat": {"frequency": 2, "period": 1}}}],
    }


def encounter() -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/amina"},
        "period": {"start": "2024-01-01T08:00:00Z"},
        "location": [{"location": {"display": "ward"}}],
    }


def document_reference() -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
    }


def allergy() -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "patient": {"reference": "Patient/amina"},
        "criticality": "high",
        "category": ["medication"],
        "reaction": [{"manifestation": [{"text": "rash"}], "severity": "mild"}],
    }


SAMPLES = {
    "Observation": observation,
    "Patient": patient,
    "Condition": condition,
    "MedicationRequest": medication_request,
    "Encounter": encounter,
    "DocumentReference": document_reference,
    "AllergyIntolerance": allergy,
}
