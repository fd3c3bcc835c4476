"""Observations of the clinic: laboratory results, vital signs, scores, code status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.demo_clinic.tables import SYSTEMS, codes, coding, compact, concept, hl7_concept

if TYPE_CHECKING:
    from appliance.demo_clinic.tables import Json

_CATEGORIES = {"vital_keys": "vital-signs", "survey_keys": "survey", "social_keys": "social-history"}
_IMAGING = {"lvef": "imaging", "fev1": "procedure"}
_COMPARATORS = ("<=", ">=", "<", ">")


def observations(person: Json, subject: Json) -> list[Json]:
    """Return version 1 of each Observation in the person's table, oldest first."""
    made: list[Json] = []
    used: set[str] = set()
    for moment, values in person.get("obs", {}).items():
        for key, value in values.items():
            identifier = f"{person['id']}-{key}-{compact(moment)}"
            if identifier in used:
                identifier = f"{identifier}-{moment.split('T')[1].replace(':', '')}"
            used.add(identifier)
            made.append(_observation(identifier, key, value, moment, person, subject))
    return made


def category_of(observation: Json) -> str:
    """Return the Observation's category code, or an empty text where it has none."""
    return str(observation["category"][0]["coding"][0]["code"]) if "category" in observation else ""


def _observation(identifier: str, key: str, value: Any, moment: str, person: Json, subject: Json) -> Json:  # noqa: ANN401 - a cell of the table
    cell: Json = value if isinstance(value, dict) else {"value": value}
    pending = cell.get("value") == "pending"
    resource: Json = {
        "resourceType": "Observation",
        "id": identifier,
        "status": "registered" if pending else cell.get("status", "final"),
        "code": _code(key),
        "subject": subject,
        "effectiveDateTime": f"{moment}:00Z" if "T" in moment else moment,
    }
    if "T" in moment:
        resource["issued"] = f"{moment}:00Z"
    category = _category(key)
    if category:
        resource["category"] = [hl7_concept("observation-category", category)]
    if not pending:
        resource |= _value(key, cell, person["sex"])
    if cell.get("restricted"):
        resource["restricted"] = True
    return resource


def _category(key: str) -> str:
    if key == "bp":
        return "vital-signs"
    for table, category in _CATEGORIES.items():
        if key in codes()[table]:
            return category
    return "" if key == "code-status" else _IMAGING.get(key, "laboratory")


def _code(key: str) -> Json:
    if key == "bp":
        display = "Blood pressure panel with all children optional"
        return concept("Blood pressure", coding("loinc", "85354-9", display))
    loinc, display, text = codes()["observations"][key][:3]
    return concept(text, coding("loinc", loinc, display))


def _value(key: str, cell: Json, sex: str) -> Json:
    if key == "bp":
        return {"component": _blood_pressure(cell["value"])}
    if "text" in cell:
        return {"valueString": cell["text"]}
    value = cell["value"]
    if value in codes()["coded_values"]:
        code, display, text = codes()["coded_values"][value]
        return {"valueCodeableConcept": concept(text, coding("snomed", code, display))}
    unit, low, high = _unit_and_range(key, sex)
    found: Json = {"valueQuantity": measured(value, unit)}
    limits = {name: quantity(limit, unit) for name, limit in (("low", low), ("high", high)) if limit is not None}
    if limits:
        found["referenceRange"] = [limits]
        if not isinstance(value, str):
            found["interpretation"] = [hl7_concept("v3-ObservationInterpretation", _flag(value, low, high))]
    return found


def _unit_and_range(key: str, sex: str) -> tuple[str, float | None, float | None]:
    unit, low, *high = codes()["observations"][key][3:]
    if isinstance(low, dict):
        return unit, low[sex][0], low[sex][1]
    return unit, low, high[0]


def _flag(value: float, low: float | None, high: float | None) -> str:
    if low is not None and value < low:
        return "L"
    return "H" if high is not None and value > high else "N"


def measured(value: float | str, unit: str) -> Json:
    """Return a Quantity; a text such as "<0.01" becomes comparator and value."""
    if not isinstance(value, str):
        return quantity(value, unit)
    sign = next(sign for sign in _COMPARATORS if value.startswith(sign))
    number = value.removeprefix(sign)
    return quantity(float(number) if "." in number else int(number), unit) | {"comparator": sign}


def quantity(value: float, unit: str) -> Json:
    """Return a Quantity in the UCUM unit; the display drops UCUM's braces."""
    shown = {"{INR}": "", "{score}": "", "{copies}/mL": "copies/mL", "mL/min/{1.73_m2}": "mL/min/1.73 m2", "Cel": "°C"}
    found: Json = {"value": value, "system": SYSTEMS["ucum"], "code": unit}
    display = shown.get(unit, unit.replace("[IU]", "IU").replace("10*3/uL", "10^3/uL"))
    return found | ({"unit": display} if display else {})


def _blood_pressure(value: str) -> list[Json]:
    names = (("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure"))
    return [
        {
            "code": concept(display, coding("loinc", code, display)),
            "valueQuantity": quantity(int(number), "mm[Hg]") | {"unit": "mmHg"},
        }
        for (code, display), number in zip(names, value.split("/"), strict=True)
    ]


def corrected(original: Json, change: Json, subject: Json) -> Json:
    """Return version 2 of an Observation: another value or status, a note, and the time it was issued."""
    unit = original["valueQuantity"]["code"]
    resource = {key: item for key, item in original.items() if key not in {"interpretation", "encounter"}}
    resource |= {"status": change["status"], "issued": change["issued"], "subject": subject}
    resource["note"] = [{"text": change["note"]}]
    if "value" in change:
        resource["valueQuantity"] = measured(change["value"], unit)
    resource["meta"] = {"versionId": "2", "lastUpdated": change["issued"]}
    return resource
