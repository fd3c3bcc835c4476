"""Twenty faults of each kind are planted in valid resources; each is found, with code and path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from tests.unit.r4_samples import CLINICAL, SAMPLES

REMOVED = object()
RANGE = 20

REQUIRED = [
    "Observation.status", "Observation.code", "Observation.component[0].code", "Observation.note[0].text",
    "Patient.communication[0].language", "Patient.link[0].other", "Patient.link[0].type", "Condition.subject",
    "MedicationRequest.status", "MedicationRequest.intent", "MedicationRequest.subject", "Encounter.status",
    "Encounter.class", "Encounter.location[0].location", "DocumentReference.status", "DocumentReference.content",
    "DocumentReference.content[0].attachment", "AllergyIntolerance.patient",
    "AllergyIntolerance.reaction[0].manifestation",
]  # fmt: skip
WRONG_TYPE: dict[str, Any] = {
    "Observation.status": 1, "Observation.code": "2823-3", "Observation.subject": "Patient/amina",
    "Observation.effectiveDateTime": 2024, "Observation.valueQuantity": 4.1, "Observation.valueQuantity.value": "4.1",
    "Observation.valueQuantity.unit": 5, "Observation.referenceRange[0].low": 3.5, "Observation.id": 12,
    "Patient.active": "true", "Patient.gender": False, "Patient.birthDate": 19610304, "Patient.name[0]": "Amina",
    "Patient.multipleBirthInteger": 1.5, "Patient.telecom[0].rank": "1", "Patient.identifier[0].value": 1,
    "Condition.code": "asthma", "Encounter.period": "2024", "Encounter.class": "AMB",
    "MedicationRequest.dosageInstruction[0].asNeededBoolean": "no",
}  # fmt: skip
CARDINALITY: dict[str, Any] = {
    "Observation.status": ["final"], "Observation.code": [{"text": "x"}], "Observation.subject": [{}],
    "Observation.issued": ["2024-02-29T10:05:00Z"], "Observation.valueQuantity": [{"value": 1}],
    "Observation.referenceRange": {"text": "x"}, "Observation.component": {"code": {"text": "x"}},
    "Observation.note": {"text": "x"}, "Patient.name": {"family": "Diallo"}, "Patient.gender": ["female"],
    "Patient.identifier": {"value": "1"}, "Patient.name[0].given": "Amina", "Patient.birthDate": ["1961-03-04"],
    "Condition.subject": [{"reference": "Patient/1"}], "Encounter.class": [{"code": "AMB"}],
    "MedicationRequest.dosageInstruction": {"text": "x"}, "DocumentReference.content": {"attachment": {}},
    "AllergyIntolerance.category": "food", "AllergyIntolerance.patient": [{}],
    "AllergyIntolerance.reaction": {"manifestation": [{"text": "x"}]},
}  # fmt: skip
CODES: dict[str, list[str]] = {
    "Observation.status": ["bogus", "Final", "active", "done", "FINAL"],
    "Patient.gender": ["F", "woman", "Female"],
    "MedicationRequest.status": ["final", "current"],
    "MedicationRequest.intent": ["wish"],
    "Encounter.status": ["final", "open"],
    "DocumentReference.status": ["final", "active"],
    "AllergyIntolerance.criticality": ["severe"],
    "AllergyIntolerance.category[0]": ["drug"],
    "AllergyIntolerance.reaction[0].severity": ["high"],
    "Patient.link[0].type": ["same"],
    "Patient.telecom[0].system": ["mobile"],
}
BAD_DATES = {
    "Patient.birthDate": ["2023-02-30", "2023-02-29", "1900-02-29", "2023-13-01", "2023-00-10", "04.03.1961"],
    "Observation.effectiveDateTime": [
        "2023-02-30T10:00:00Z", "2023-04-31", "2024-01-01T24:00:00Z", "2024-01-01T10:00:00", "2024-01-01T10:00Z",
        "2024-01-01 10:00:00Z", "yesterday", "0000-01-01",
    ],
    "Observation.issued": ["2024-02-29", "2024-02-30T10:00:00Z", "2024-01-01T10:61:00Z"],
    "Condition.recordedDate": ["2019-5", "19-05-01", "2019-05-01T10:00:00+15:00"],
}  # fmt: skip
CHOICES: dict[str, list[dict[str, Any]]] = {
    "Observation": [
        {"valueString": "x"}, {"valueInteger": 4}, {"valueBoolean": True}, {"valueDateTime": "2024"},
        {"valueCodeableConcept": {"text": "x"}}, {"valueTime": "10:00:00"}, {"valueRange": {"low": {"value": 1}}},
        {"valuePeriod": {"start": "2024"}}, {"_valueString": {"id": "x"}}, {"effectivePeriod": {"start": "2024"}},
        {"effectiveInstant": "2024-01-01T10:00:00Z"}, {"effectiveTiming": {"event": ["2024"]}},
    ],
    "Patient": [{"multipleBirthBoolean": True}],
    "Condition": [
        {"onsetString": "child"}, {"onsetAge": {"value": 3}}, {"onsetPeriod": {"start": "2019"}},
        {"onsetRange": {"low": {"value": 1}}}, {"abatementString": "x", "abatementDateTime": "2020"},
    ],
    "MedicationRequest": [{"medicationReference": {"reference": "Medication/1"}}],
    "Encounter": [{"extension": [{"url": "http://x.example", "valueString": "a", "valueInteger": 1}]}],
}  # fmt: skip


def plant(path: str, value: Any) -> bytes:
    resource_type, *steps = path.replace("[", ".[").split(".")
    resource = SAMPLES[resource_type]()
    target: Any = resource
    keys: list[Any] = [int(s[1:-1]) if s.startswith("[") else s for s in steps]
    for key in keys[:-1]:
        target = target[key]
    if value is REMOVED:
        del target[keys[-1]]
    else:
        target[keys[-1]] = value
    return json.dumps(resource).encode()


def issue_of(content: bytes) -> Issue:
    with pytest.raises(InvalidResourceError) as caught:
        check_resource(content)
    return caught.value.issue


@pytest.mark.parametrize("resource_type", SAMPLES)
def test_the_samples_without_a_fault_pass(resource_type: str) -> None:
    checked = check_resource(json.dumps(SAMPLES[resource_type]()).encode())
    assert checked.resource_type == resource_type
    assert checked.resource_id


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_required_element_is_found(path: str) -> None:
    assert issue_of(plant(path, REMOVED)) == Issue("required-element", path)


def test_a_missing_required_choice_is_found() -> None:
    path = "MedicationRequest.medicationCodeableConcept"
    assert issue_of(plant(path, REMOVED)) == Issue("required-element", "MedicationRequest.medication[x]")


@pytest.mark.parametrize("path", WRONG_TYPE)
def test_a_wrong_type_is_found(path: str) -> None:
    assert issue_of(plant(path, WRONG_TYPE[path])) == Issue("wrong-type", path)


@pytest.mark.parametrize("path", CARDINALITY)
def test_a_wrong_cardinality_is_found(path: str) -> None:
    assert issue_of(plant(path, CARDINALITY[path])) == Issue("cardinality", path)


@pytest.mark.parametrize(("path", "code"), [(p, c) for p, codes in CODES.items() for c in codes])
def test_a_code_outside_its_required_value_set_is_found(path: str, code: str) -> None:
    assert issue_of(plant(path, code)) == Issue("code-not-allowed", path)


@pytest.mark.parametrize(("path", "text"), [(p, t) for p, texts in BAD_DATES.items() for t in texts])
def test_a_date_that_is_none_is_found(path: str, text: str) -> None:
    assert issue_of(plant(path, text)) == Issue("bad-date", path)


@pytest.mark.parametrize(("resource_type", "more"), [(t, m) for t, all_ in CHOICES.items() for m in all_])
def test_two_forms_of_one_choice_are_found(resource_type: str, more: dict[str, Any]) -> None:
    issue = issue_of(json.dumps(SAMPLES[resource_type]() | more).encode())
    assert issue.code == "choice-repeated"
    assert issue.path.startswith(resource_type)
    assert issue.path.endswith("[x]")


@pytest.mark.parametrize("number", range(RANGE))
def test_an_unknown_element_is_found(number: int) -> None:
    resource_type = list(SAMPLES)[number % len(SAMPLES)]
    resource = SAMPLES[resource_type]() | {f"madeUp{number}": "x"}
    assert issue_of(json.dumps(resource).encode()) == Issue("unknown-element", f"{resource_type}.madeUp{number}")


@pytest.mark.parametrize("number", range(RANGE))
def test_a_key_named_twice_is_found_at_any_depth(number: int) -> None:
    resource = json.dumps(SAMPLES[list(SAMPLES)[number % len(SAMPLES)]](), indent=number % 3 or None)
    keys = [part for part in resource.split('"') if part.isidentifier() and f'"{part}":' in resource]
    key = sorted(set(keys))[number % len(set(keys))]
    at = resource.index(f'"{key}":')
    value, end = json.JSONDecoder().raw_decode(resource[at + len(key) + 3 :].lstrip())
    del end
    doubled = f'{resource[:at]}"{key}" : {json.dumps(value)},{resource[at:]}'
    assert issue_of(doubled.encode()).code == "duplicate-key"


@pytest.mark.parametrize("code", ["bogus", "Active", ""])
def test_a_status_given_as_a_concept_is_bound_too(code: str) -> None:
    concept = {"coding": [{"system": CLINICAL, "code": code}]}
    issue = issue_of(plant("Condition.clinicalStatus", concept))
    assert issue.code in {"code-not-allowed", "empty-value"}
    assert issue.path.startswith("Condition.clinicalStatus.coding")
