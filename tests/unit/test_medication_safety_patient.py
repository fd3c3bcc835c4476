"""Dose for the age, kidney function and pregnancy: planted cases, and what is missing for a check."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_builders import condition, observation
from tests.unit.medication_builders import CHILD, MAN, WOMAN, checked, egfr, kinds, ordered


@pytest.mark.parametrize(
    ("person", "drug", "dosage", "severity"),
    [
        (MAN, "paracetamol", "1 g by mouth six times daily", "severe"),
        (MAN, "metformin", "1500 mg by mouth once daily", "severe"),
        (MAN, "citalopram", "40 mg by mouth once daily", "severe"),
        (MAN, "methotrexate", "10 mg by mouth once daily", "contraindicated"),
        (MAN, "methotrexate", "40 mg by mouth once a week", "severe"),
        (MAN, "methotrexate", "15 mg by mouth once a week", None),
        (WOMAN, "citalopram", "40 mg by mouth once daily", None),
        (MAN, "levothyroxine", "100 micrograms once daily", None),
        (MAN, "levothyroxine", "100 mg once daily", "severe"),
    ],
)
def test_a_dose_is_measured_against_the_limit_for_the_age(
    person: dict[str, Any], drug: str, dosage: str, severity: str | None
) -> None:
    found = [one for one in checked(person, ordered(drug, dosage)).findings if one.kind == "dose"]

    assert (found[0].severity.word if found else None) == severity
    for one in found:
        assert ("dosageInstruction",) in [path for _, path in one.citations_from]


def test_a_childs_dose_is_measured_by_weight() -> None:
    weight = observation("Body weight", "20", "kg", code="29463-7", on="2025-05-01")
    too_much = ordered("ibuprofen", "300 mg by mouth four times daily")

    found = [one for one in checked(CHILD, weight, too_much).findings if one.kind == "dose"]

    assert "40 mg/kg for 20 kg" in found[0].text
    assert any("Observation" in fact.resource for fact, _ in found[0].citations_from)
    without = checked(CHILD, too_much)
    assert any("no weight" in line for line in without.not_checked)


@pytest.mark.parametrize(
    ("value", "severity"),
    [("24", "contraindicated"), ("38", "caution"), ("60", None)],
)
def test_kidney_function_is_measured_with_its_date(value: str, severity: str | None) -> None:
    report = checked(MAN, egfr(value), ordered("metformin", "500 mg twice daily"))

    found = [one for one in report.findings if one.kind == "renal"]
    assert (found[0].severity.word if found else None) == severity
    for one in found:
        assert "01-May-2025" in one.text
        assert {fact.row.resource_type for fact, _ in one.citations_from} == {"MedicationRequest", "Observation"}


def test_a_filtration_rate_above_a_bound_is_no_exact_number() -> None:
    above = egfr("60", valueQuantity={"value": "60", "comparator": ">", "unit": "mL/min/1.73 m2"})

    report = checked(MAN, above, ordered("topiramate", "50 mg twice daily"))

    assert not [one for one in report.findings if one.kind == "renal"]
    assert any("no exact number" in line for line in report.not_checked)


def test_without_a_rate_creatinine_stands_in_and_is_said_to() -> None:
    creatinine = observation("Creatinine", "4.0", "mg/dL", code="2160-0", on="2025-05-01")

    found = [one for one in checked(MAN, creatinine, ordered("metformin")).findings if one.kind == "renal"]

    assert "calculated (CKD-EPI 2021) from creatinine 4.0 mg/dL" in found[0].text


def test_an_old_filtration_rate_is_used_and_said_to_be_old() -> None:
    report = checked(MAN, egfr("20", on="2023-01-01"), ordered("metformin"))

    assert ("renal", "contraindicated") in kinds(report)
    assert any("over a year old" in line for line in report.not_checked)


def test_a_recorded_pregnancy_is_measured_and_an_unrecorded_one_is_not_checked() -> None:
    order = ordered("Isotretinoin 20 mg capsule", "20 mg once daily")
    pregnant = condition("Normal pregnancy", on="2025-03-01")

    assert ("pregnancy", "contraindicated") in kinds(checked(WOMAN, pregnant, order))
    without = checked(WOMAN, order)
    assert "pregnancy" not in {one.kind for one in without.findings}
    assert any("no pregnancy status is recorded" in line for line in without.not_checked)
    assert not any("pregnancy" in line for line in checked(MAN, order).not_checked)
