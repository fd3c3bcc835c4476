"""The records that the look-ups are measured on, as FHIR R4, and the 200 questions. Nobody's data: counters only."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Measured = tuple[str, str, str, float]  # LOINC, name, UCUM unit, a usual value
LABS: Final[tuple[Measured, ...]] = (
    ("2823-3", "Potassium", "mmol/L", 4.2),
    ("2951-2", "Sodium", "mmol/L", 140.0),
    ("2075-0", "Chloride", "mmol/L", 102.0),
    ("2160-0", "Creatinine", "mg/dL", 1.1),
    ("3094-0", "Urea nitrogen", "mg/dL", 16.0),
    ("2345-7", "Glucose", "mg/dL", 98.0),
    ("4548-4", "Hemoglobin A1c", "%", 6.4),
    ("17861-6", "Calcium", "mg/dL", 9.4),
    ("19123-9", "Magnesium", "mg/dL", 2.0),
    ("1751-7", "Albumin", "g/dL", 4.1),
    ("1975-2", "Total bilirubin", "mg/dL", 0.7),
    ("1742-6", "Alanine aminotransferase", "U/L", 25.0),
    ("1920-8", "Aspartate aminotransferase", "U/L", 24.0),
    ("6768-6", "Alkaline phosphatase", "U/L", 80.0),
    ("718-7", "Hemoglobin", "g/dL", 13.5),
    ("6690-2", "Leukocytes", "10*3/uL", 7.1),
    ("777-3", "Platelets", "10*3/uL", 250.0),
    ("2093-3", "Total cholesterol", "mg/dL", 190.0),
    ("2571-8", "Triglycerides", "mg/dL", 140.0),
    ("2777-1", "Phosphate", "mg/dL", 3.4),
)
VITALS: Final[tuple[Measured, ...]] = (
    ("8867-4", "Heart rate", "/min", 72.0),
    ("29463-7", "Body weight", "kg", 78.0),
    ("8310-5", "Body temperature", "Cel", 36.7),
    ("59408-5", "Oxygen saturation", "%", 97.0),
    ("9279-1", "Respiratory rate", "/min", 15.0),
)
DRUGS: Final = (
    "Metformin", "Lisinopril", "Atorvastatin", "Apixaban", "Furosemide", "Amlodipine", "Omeprazole", "Levothyroxine",
    "Metoprolol", "Warfarin",
)  # fmt: skip
PROBLEMS: Final = ("Hypertension", "Atrial fibrillation", "Type 2 diabetes mellitus", "Asthma", "Heart failure")
VISITS: Final = 66
_FIRST: Final = date(2016, 1, 4)
_EXTRA_FROM: Final = 30  # from this visit on some tests are repeated nine days later
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ABOUT_MEASURES: Final = (
    "What is the latest {}?",
    "What was the highest {}?",
    "What was the lowest {} in the last two years?",
    "Is the {} rising?",
    "When was {} last measured?",
    "What was the first {}?",
)
_ABOUT_DRUGS: Final = ("Is she on {}?", "What dose of {} does she take?", "When was {} started?")
_ABOUT_PROBLEMS: Final = ("Does she have {}?", "Since when has she had {}?")
_OTHERS: Final = (
    "Which medicines does she take?",
    "What are the active problems?",
    "Which problems are resolved?",
    "When was the last visit?",
    "What are the latest vital signs?",
    "What is the latest K?",
    "What is the latest creat?",
    "What is the latest A1c?",
    "What is the latest Hb?",
    "What is the latest heart rate and weight?",
)


def questions() -> list[str]:
    """Return 200 different questions of which each is one look-up."""
    names = [name.lower() for _, name, _, _ in (*LABS, *VITALS)]
    asked = [form.format(name) for form, name in product(_ABOUT_MEASURES, names)]
    asked += [form.format(name.lower()) for form, name in product(_ABOUT_DRUGS, DRUGS)]
    asked += [form.format(name.lower()) for form, name in product(_ABOUT_PROBLEMS, PROBLEMS)]
    return [*asked, *_OTHERS]


def person(subject: str, number: int) -> dict[str, Any]:
    """Return a Patient resource."""
    return {
        "resourceType": "Patient",
        "id": subject,
        "name": [{"family": f"Bench{number % 977}", "given": [f"Given{number % 613}"]}],
        "gender": "female",
        "birthDate": str(date(1930, 1, 1) + timedelta(days=number * 37 % 30000)),
    }


def long_record(subject: str, number: int) -> list[dict[str, Any]]:
    """Return the resources of a patient who is asked about: more than 2,000, over ten years."""
    found = [person(subject, number)]
    for turn in range(VISITS):
        day = _FIRST + timedelta(days=number + turn * 56)
        found += [
            measured(which, subject, f"{subject}-{place}-{turn}", day, turn + place + number)
            for place, which in enumerate((*LABS, *VITALS))
        ]
        found += visit(subject, f"{subject}-", day, turn)
        if turn >= _EXTRA_FROM:
            later = day + timedelta(days=9)
            found += [
                measured(which, subject, f"{subject}-b{place}-{turn}", later, turn + place)
                for place, which in enumerate(LABS[:6])
            ]
    return found


def short_record(subject: str) -> list[dict[str, Any]]:
    """Return the resources of one of the many: 31, each of at least one typed row."""
    day = date(2023, 5, 2)
    found = [person(subject, 0)]
    found += [measured(LABS[turn % len(LABS)], subject, f"k{turn:02d}", day, turn) for turn in range(21)]
    return found + [one for turn in range(3) for one in visit(subject, "", day + timedelta(days=turn), turn)]


def measured(which: Measured, subject: str, logical_id: str, day: date, turn: int) -> dict[str, Any]:
    """Return one result with its unit and reference range."""
    code, text, unit, usual = which
    return {
        "resourceType": "Observation",
        "id": logical_id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": text}], "text": text},
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": f"{day}T09:30:00+00:00",
        "valueQuantity": {
            "value": round(usual * (0.9 + turn % 21 / 100), 2),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "referenceRange": [
            {"low": {"value": round(usual * 0.9, 2), "unit": unit}, "high": {"value": usual, "unit": unit}}
        ],
    }


def visit(subject: str, prefix: str, day: date, turn: int) -> Iterator[dict[str, Any]]:
    """Yield an order, a problem and the encounter of one visit."""
    about = {"subject": {"reference": f"Patient/{subject}"}}
    yield {
        "resourceType": "MedicationRequest",
        "id": f"{prefix}m{turn}",
        "status": "completed" if turn + len(DRUGS) < VISITS else "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": f"{DRUGS[turn % len(DRUGS)]} {5 + turn % 4 * 5} mg tablet"},
        "authoredOn": str(day),
        "dosageInstruction": [{"text": "One tablet once daily"}],
        **about,
    }
    yield {
        "resourceType": "Condition",
        "id": f"{prefix}c{turn}",
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active" if turn < len(PROBLEMS) else "resolved"}]},
        "code": {"text": PROBLEMS[turn] if turn < len(PROBLEMS) else f"Back pain, episode {turn}"},
        "onsetDateTime": str(day),
        **about,
    }
    yield {
        "resourceType": "Encounter",
        "id": f"{prefix}e{turn}",
        "status": "finished",
        "class": {"system": _ACT, "code": "AMB"},
        "type": [{"text": "Follow-up visit"}],
        "period": {"start": f"{day}T09:00:00+00:00", "end": f"{day}T09:40:00+00:00"},
        **about,
    }
