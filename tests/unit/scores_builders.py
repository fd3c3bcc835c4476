"""Short records for the tests of scores. Invented patients and values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clinical.domain.provenance import DEMO, Trust
from clinical.domain.scores import ScoreAnswer, answer, asked_for
from tests.unit.fhir_builders import concept, condition, facts, observation

if TYPE_CHECKING:
    from clinical.domain.facts import Fact

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
SITE = Trust(site=True)
LOINC = {
    "respiratory-rate": ("9279-1", "Respiratory rate", "/min"),
    "spo2": ("59408-5", "Oxygen saturation", "%"),
    "systolic": ("8480-6", "Systolic blood pressure", "mm[Hg]"),
    "diastolic": ("8462-4", "Diastolic blood pressure", "mm[Hg]"),
    "heart-rate": ("8867-4", "Heart rate", "/min"),
    "temperature": ("8310-5", "Body temperature", "Cel"),
    "creatinine": ("2160-0", "Creatinine", "mg/dL"),
    "weight": ("29463-7", "Body weight", "kg"),
    "height": ("8302-2", "Body height", "cm"),
    "bilirubin": ("1975-2", "Bilirubin", "mg/dL"),
    "albumin": ("1751-7", "Albumin", "g/dL"),
    "inr": ("6301-6", "INR", "{INR}"),
    "sodium": ("2951-2", "Sodium", "mmol/L"),
    "potassium": ("2823-3", "Potassium", "mmol/L"),
    "chloride": ("2075-0", "Chloride", "mmol/L"),
    "bicarbonate": ("2028-9", "Bicarbonate", "mmol/L"),
    "calcium": ("17861-6", "Calcium", "mg/dL"),
    "urea-nitrogen": ("3094-0", "Urea nitrogen", "mg/dL"),
    "egfr": ("98979-8", "eGFR", "mL/min/{1.73_m2}"),
    "lvef": ("10230-1", "Left ventricular ejection fraction", "%"),
}
WELL = {"respiratory-rate": "16", "spo2": "97", "systolic": "120", "heart-rate": "72", "temperature": "36.8"}


def at(hours_ago: float = 1) -> str:
    """A FHIR dateTime so many hours before NOW."""
    return (NOW - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def value(
    key: str, digits: str, *, hours_ago: float = 1, unit: str | None = None, on: str = "", **more: Any
) -> dict[str, Any]:
    """An Observation of a quantity of LOINC, `hours_ago` before NOW."""
    code, text, usual = LOINC[key]
    found = observation(text, digits, usual if unit is None else unit, code=code, on=on or at(hours_ago), **more)
    return found | {
        "id": f"{key}-{digits}-{hours_ago}-{found['valueQuantity']['code'] if 'valueQuantity' in found else ''}"
    }


def vitals(hours_ago: float = 1, **changed: str) -> list[dict[str, Any]]:
    """A full set of normal observations for NEWS2, some changed (`heart_rate="140"`)."""
    digits = WELL | {key.replace("_", "-"): one for key, one in changed.items()}
    return [value(key, one, hours_ago=hours_ago) for key, one in digits.items()]


def bedside(hours_ago: float = 1, *, oxygen: str = "Room air", level: str = "Alert") -> list[dict[str, Any]]:
    """Air or oxygen, and consciousness, recorded as text."""
    return [
        observation("Oxygen therapy", {"valueString": oxygen}, on=at(hours_ago)),
        observation("ACVPU level of consciousness", {"valueString": level}, on=at(hours_ago)),
    ]


def person(*, born: str = "1956-01-10", gender: str = "female", **more: Any) -> dict[str, Any]:
    """A Patient, 70 years old at NOW."""
    return {"resourceType": "Patient", "id": "p", "birthDate": born, "gender": gender} | more


def coded(text: str, snomed: str, **more: Any) -> dict[str, Any]:
    """An active Condition with a SNOMED CT code."""
    return condition(text, code=concept(text, snomed, "http://snomed.info/sct"), **more)


def ask(question: str, *resources: dict[str, Any], now: datetime = NOW, trust: Trust = DEMO) -> ScoreAnswer:
    """The score a question asks for, over these resources."""
    request = asked_for(question)
    assert request is not None, question
    held: list[Fact] = facts(*resources)
    return answer(request, held, now=now, trust=trust)


def texts(given: ScoreAnswer) -> str:
    """All sentences of an answer."""
    return "\n".join(one.text for one in given.answer.sentences)


def head(given: ScoreAnswer) -> str:
    """The first sentence of an answer."""
    return given.answer.sentences[0].text
