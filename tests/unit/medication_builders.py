"""Patients and orders for the tests of the medication check. Invented."""

from __future__ import annotations

from datetime import date
from typing import Any

from clinical.domain.medication_safety import SafetyReport, check
from clinical.domain.provenance import DEMO, Trust
from tests.unit.fhir_builders import allergy, facts, medication, observation

TODAY = date(2025, 6, 1)
WOMAN = {"resourceType": "Patient", "id": "w", "gender": "female", "birthDate": "1990-04-02"}
MAN = {"resourceType": "Patient", "id": "m", "gender": "male", "birthDate": "1950-04-02"}
CHILD = {"resourceType": "Patient", "id": "c", "gender": "male", "birthDate": "2019-01-02"}
NONE_KNOWN = allergy("none", code={"text": "No known allergies"})
EGFR = "98979-8"


def ordered(drug: str, dosage: str = "", **more: Any) -> dict[str, Any]:
    directions: dict[str, Any] = {"dosageInstruction": [{"text": dosage}]} if dosage else {}
    return medication(drug, **directions, **more)


def egfr(value: str, on: str = "2025-05-01", **more: Any) -> dict[str, Any]:
    return observation("eGFR", value, "mL/min/1.73 m2", code=EGFR, on=on, **more)


def checked(*resources: dict[str, Any], asked: tuple[str, ...] = (), trust: Trust = DEMO) -> SafetyReport:
    return check(facts(*resources), asked=asked, today=TODAY, trust=trust)


def kinds(report: SafetyReport) -> list[tuple[str, str]]:
    return [(one.kind, one.severity.word) for one in report.findings]
