"""Short ways to write FHIR resources and facts in tests. Invented patients and values."""

from __future__ import annotations

from typing import Any

from clinical.domain.facts import Fact
from clinical.domain.projection import project

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def concept(text: str, code: str = "", system: str = LOINC) -> dict[str, Any]:
    return {"text": text, "coding": [{"system": system, "code": code, "display": text}]} if code else {"text": text}


def observation(
    text: str,
    value: str | dict[str, Any] | None,
    unit: str = "mmol/L",
    *,
    code: str = "",
    on: str = "2025-03-14",
    **more: Any,
) -> dict[str, Any]:
    """An Observation; a str value becomes a Quantity with these digits, a dict stands as its elements."""
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"{text}-{on}-{value}".replace(" ", "")[:60],
        "status": "final",
        "code": concept(text, code),
        "category": [{"coding": [{"code": "laboratory"}]}],
        "effectiveDateTime": on,
    }
    if isinstance(value, str):
        resource["valueQuantity"] = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    elif value:
        resource |= value
    return resource | more


def medication(drug: str, *, status: str = "active", on: str = "2025-01-10", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"{drug}-{on}".replace(" ", ""),
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": drug},
        "authoredOn": on,
    } | more


def allergy(
    substance: str, *, verification: str = "confirmed", clinical: str = "active", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"allergy-{substance}".replace(" ", ""),
        "clinicalStatus": {"coding": [{"code": clinical}]},
        "verificationStatus": {"coding": [{"code": verification}]},
        "code": {"text": substance},
        "recordedDate": "2019-02-03",
    } | more


def condition(text: str, *, clinical: str = "active", on: str = "2020-05", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"condition-{text}".replace(" ", ""),
        "clinicalStatus": {"coding": [{"code": clinical}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"text": text},
        "onsetDateTime": on,
    } | more


def facts(*resources: dict[str, Any]) -> list[Fact]:
    return [
        Fact(row, f"{resource['resourceType']}/{resource.get('id', 'x')}", "1")
        for resource in resources
        for row in project(resource)
    ]
