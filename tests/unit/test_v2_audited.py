"""Drugs, allergies, vaccines, documents and vital signs of HL7 v2 keep what their fields say.

Source: HL7 v2.5.1 chapters 4A, 3, 9 and tables 0438, 0119; CVX 998; FHIR R4 vital signs profile.
"""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from ingestion.domain.v2 import V2Error
from tests.unit.test_v2_results import resources


def only(kind: str, *lines: str, message: str) -> dict[str, Any]:
    [found] = resources(*lines, kind=message)[kind]
    return found


@pytest.mark.parametrize(("per", "count", "unit"), [("H1", 1, "h"), ("H", 1, "h"), ("M30", 30, "min"), ("D1", 1, "d")])
def test_what_is_given_per_time_is_a_rate_and_no_dose(per: str, count: int, unit: str) -> None:
    rxe = f"RXE||5224^Heparin^L|12||mL^^UCUM{'|' * 17}{per}"
    [dosage] = only("MedicationRequest", "ORC|NW|P1", rxe, message="RDE^O11")["dosageInstruction"]
    [given] = dosage["doseAndRate"]
    assert given["rateRatio"]["numerator"]["value"] == 12
    assert (given["rateRatio"]["denominator"]["value"], given["rateRatio"]["denominator"]["unit"]) == (
        Decimal(count),
        unit,
    )
    assert "doseQuantity" not in given
    assert f"per {per}" in dosage["text"]


@pytest.mark.parametrize(("control", "status"), [("RE", "completed"), ("CA", "cancelled"), ("DC", "stopped")])
def test_a_dispense_that_was_called_off_was_not_handed_over(control: str, status: str) -> None:
    rxd = "RXD|1|11289^Warfarin^L|20260301|30|TAB|||RX7" + "|" * 10 + "LOT9|20271231"
    found = only("MedicationDispense", f"ORC|{control}|P1", rxd, "RXR|PO^Oral^L|MO^Mouth^L", message="RDS^O13")
    assert found["status"] == status
    assert {"Lot: LOT9", "Expires: 2027-12-31"} <= {one["text"] for one in found["note"]}
    assert found["dosageInstruction"][0]["route"]["coding"][0]["code"] == "PO"


@pytest.mark.parametrize(
    ("said", "verification", "clinical"),
    [
        ("C", "confirmed", "active"),
        ("I", "confirmed", "inactive"),
        ("U", "unconfirmed", "active"),
        ("S", "unconfirmed", "active"),
        ("E", "entered-in-error", ""),
    ],
)
def test_how_sure_an_allergy_is_is_kept(said: str, verification: str, clinical: str) -> None:
    iam = f"IAM|1|DA|7980^Penicillin^L|SV^Severe|Rash|A|A1||IN{'|' * 8}{said}"
    found = only("AllergyIntolerance", iam, message="ADT^A60")
    assert found["verificationStatus"]["coding"][0]["code"] == verification
    assert found.get("clinicalStatus", {}).get("coding", [{"code": ""}])[0]["code"] == clinical
    assert found["type"] == "intolerance"


@pytest.mark.parametrize("severity", ["SV", "SEVERE", "Severe", "X^Severe"])
def test_a_severity_in_words_is_kept(severity: str) -> None:
    found = only("AllergyIntolerance", f"AL1|1|DA|7980^Penicillin^L|{severity}|Rash", message="ADT^A01")
    assert found["reaction"][0]["severity"] == "severe"


@pytest.mark.parametrize(("completion", "status"), [("", "not-done"), ("RE", "not-done"), ("CP", "completed")])
def test_no_vaccine_given_is_no_vaccine_given(completion: str, status: str) -> None:
    rxa = f"RXA|0|1|20260301||998^No vaccine administered^CVX|999{'|' * 14}{completion}"
    assert only("Immunization", "ORC|RE||F1", rxa, message="VXU^V04")["status"] == status


BODY = (
    "OBX|1|TX|T^Text||Seen in clinic.||||||F",
    "OBX|2|NM|2345-7^Glucose^LN||7.4|mmol/L|||||F",
    "OBX|3|CE|S^Smoking^L||N^Never smoker^L||||||F",
    "OBX|4|DT|V^Next visit^L||20260401||||||F",
    "OBX|5|SN|D^D-dimer^L||>^4.0|mg/L|||||F",
)


def test_the_rows_of_a_document_keep_their_names_and_units() -> None:
    found = only("DocumentReference", "TXA|1|DS|TX|20260301||||||||D1|||||AU", *BODY, message="MDM^T02")
    text = base64.b64decode(found["content"][0]["attachment"]["data"]).decode()
    assert text.splitlines() == [
        "Seen in clinic.",
        "Glucose: 7.4 mmol/L",
        "Smoking: Never smoker",
        "Next visit: 2026-04-01",
        "D-dimer: >4.0 mg/L",
    ]


def test_an_attachment_that_cannot_be_decoded_is_refused_with_its_place() -> None:
    with pytest.raises(V2Error) as refused:
        resources(
            "TXA|1|DS|TX|20260301||||||||D1|||||AU", "OBX|1|ED|L^Letter||^TEXT^PLAIN^Base64^!!!||||||F", kind="MDM^T02"
        )
    assert refused.value.reason == "bad-attachment"


@pytest.mark.parametrize(("code", "category"), [("8867-4", "vital-signs"), ("2951-2", "laboratory")])
def test_vital_signs_are_known_by_their_codes_where_no_section_is_named(code: str, category: str) -> None:
    found = only("Observation", "OBR|1|P1|F1|PANEL^Panel^L", f"OBX|1|NM|{code}^X^LN||80|/min|||||F", message="ORU^R01")
    assert found["category"][0]["coding"][0]["code"] == category
