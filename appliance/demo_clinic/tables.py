"""The hand-written tables of the clinic, and the coded values they give."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

Json = dict[str, Any]

REFERENCE_DATE = date(2026, 9, 1)
"""The day the clinic is looked at: no record is dated later. The gold set is written for this day."""

TABLES = Path(__file__).parent
MRN_SYSTEM = "https://clinic.example/mrn"
SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "cvx": "http://hl7.org/fhir/sid/cvx",
    "icd10": "http://hl7.org/fhir/sid/icd-10",
    "ucum": "http://unitsofmeasure.org",
}
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_NAMESPACE = UUID("b7f8c6f2-9c7e-5f6a-8a54-1d8f3f0c2e11")


@cache
def codes() -> Json:
    """Return the code tables (LOINC, SNOMED CT, RxNorm, CVX, ICD-10), status: from memory."""
    return _read("codes.json")


def people() -> list[Json]:
    """Return the patients' tables; `amina-yusuf` comes first, the others by id."""
    found = [_read(f"people/{path.name}") for path in sorted((TABLES / "people").glob("*.json"))]
    return sorted(found, key=lambda person: (person["id"] != "amina-yusuf", person["id"]))


def traps() -> list[Json]:
    """Return the planted traps: kind, patient, resources and the known truth."""
    listed: list[Json] = _read("traps.json")["traps"]
    return listed


def urn(reference: str) -> str:
    """Return the `urn:uuid:` that stands for "Type/id" inside a Bundle; always the same one."""
    return f"urn:uuid:{uuid5(_NAMESPACE, reference)}"


def coding(system: str, code: str, display: str) -> Json:
    """Return a Coding; `system` is a key of SYSTEMS."""
    return {"system": SYSTEMS[system], "code": code, "display": display}


def concept(text: str, *codings: Json) -> Json:
    """Return a CodeableConcept; without codings it is text only."""
    return {"coding": list(codings), "text": text} if codings else {"text": text}


def hl7_concept(code_system: str, code: str) -> Json:
    """Return a CodeableConcept of an HL7 terminology code system ("condition-clinical", "active")."""
    return {"coding": [{"system": TERMINOLOGY + code_system, "code": code}]}


def compact(day: str) -> str:
    """Return the digits of a date for use in an id: "2026-08-11T09:00" -> "20260811"."""
    return day.split("T")[0].replace("-", "")


def _read(name: str) -> Json:
    content: Json = json.loads((TABLES / name).read_text(encoding="utf-8"))
    return content
