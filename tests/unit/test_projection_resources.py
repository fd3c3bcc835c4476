"""Medicines, allergies, problems, code status and all the others become typed rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clinical.domain.projection import project
from clinical.domain.projection.dates import UNDATED, display_date, lower_bound
from clinical.domain.projection.rows import (
    AllergyRow,
    CodeStatusRow,
    ConditionRow,
    FamilyRow,
    GenericRow,
    MedicationRow,
    PatientRow,
)
from tests.unit.fhir_builders import allergy, concept, condition, medication, observation


def test_a_stopped_order_keeps_dose_route_end_and_reason() -> None:
    dosage = {
        "text": "5 mg twice daily",
        "route": concept("Oral"),
        "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "boundsPeriod": {"end": "2025-02-01"}}},
        "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
    }
    resource = medication(
        "Apixaban 5 mg", status="stopped", dosageInstruction=[dosage], statusReason=concept("GI bleed")
    )
    (row,) = project(resource)
    assert isinstance(row, MedicationRow)
    assert (row.dose, row.route, row.timing, row.end) == ("5 mg", "Oral", "twice a day", "2025-02-01")
    assert (row.status_reason, row.status_reason_path) == ("GI bleed", ("statusReason",))


def test_a_referred_medicine_is_named_from_contained_or_related_resources() -> None:
    contained = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "contained": [{"resourceType": "Medication", "id": "m", "code": concept("Nizatidine")}],
        "medicationReference": {"reference": "#m"},
    }
    (row,) = project(contained)
    assert (row.text, row.anchor) == ("Nizatidine", ("contained", 0, "code"))
    outside = medication("x") | {"medicationReference": {"reference": "Medication/7"}}
    del outside["medicationCodeableConcept"]
    (row,) = project(outside, {"Medication/7": {"code": concept("Digoxin 125 mcg")}})
    assert row.text == "Digoxin 125 mcg"


@pytest.mark.parametrize(
    ("code", "negated"),
    [
        ({"text": "No known allergies"}, True),
        ({"text": "NKDA"}, True),
        (concept("No known allergy (situation)", "716186003", "http://snomed.info/sct"), True),
        ({"text": "Penicillin"}, False),
        ({"text": "Nocardia antigen"}, False),
    ],
)
def test_a_recorded_negative_is_told_from_an_allergy(code: dict[str, Any], *, negated: bool) -> None:
    (row,) = project(allergy("x", code=code))
    assert isinstance(row, AllergyRow)
    assert row.negated is negated


def test_entered_in_error_is_the_status_wherever_it_is_said() -> None:
    in_error = {"coding": [{"code": "entered-in-error"}]}
    rows = [
        *project(allergy("Latex", verificationStatus=in_error)),
        *project(condition("Gout", verificationStatus=in_error)),
    ]
    assert {row.status for row in rows} == {"entered-in-error"}


@pytest.mark.parametrize(
    ("resource", "wish"),
    [
        (observation("Code status", {"valueCodeableConcept": concept("Full code")}), "full"),
        (observation("Resuscitation status", {"valueCodeableConcept": concept("Not for resuscitation")}), "no-cpr"),
        (observation("Do not resuscitate", {"valueBoolean": True}), "no-cpr"),
        (observation("DNR order", {"valueString": "DNR revoked by family meeting"}), ""),
        (
            {"resourceType": "Consent", "status": "active", "category": [{"coding": [{"code": "dnr"}], "text": "DNR"}]},
            "no-cpr",
        ),
        (
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": concept("Do not resuscitate", "84095-9"),
            },
            "no-cpr",
        ),
    ],
)
def test_code_status_is_found_in_the_forms_records_use(resource: dict[str, Any], wish: str) -> None:
    rows = [row for row in project(resource) if isinstance(row, CodeStatusRow)]
    assert [row.wish for row in rows] == [wish]


def test_a_relatives_condition_is_never_the_patients() -> None:
    resource = {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "relationship": concept("Mother"),
        "condition": [{"code": concept("Breast cancer")}, {"code": concept("Stroke")}],
    }
    rows = project(resource)
    assert [(row.text, row.anchor) for row in rows] == [
        ("Breast cancer", ("condition", 0, "code")),
        ("Stroke", ("condition", 1, "code")),
    ]
    assert all(isinstance(row, FamilyRow) and row.relationship == "Mother" for row in rows)
    assert not any(isinstance(row, ConditionRow) for row in rows)


def test_a_patient_is_known_by_the_official_name_and_every_identifier() -> None:
    names = [{"use": "maiden", "family": "Old"}, {"use": "official", "given": ["Amina", "K"], "family": "Diallo"}]
    identifiers = [{"system": "urn:site", "value": "77", "type": {"coding": [{"code": "MR"}]}}, {"system": "x"}]
    (row,) = project({"resourceType": "Patient", "name": names, "identifier": identifiers, "deceasedBoolean": True})
    assert isinstance(row, PatientRow)
    assert (row.text, row.identifiers, row.deceased) == ("Amina K Diallo", (("MR", "urn:site", "77"),), "true")


def test_every_other_resource_has_a_generic_row() -> None:
    (row,) = project({"resourceType": "Device", "type": concept("Pacemaker"), "status": "active"})
    assert isinstance(row, GenericRow)
    assert (row.text, row.resource_type) == ("Pacemaker", "Device")
    assert project({})[0].kind == "other"


@pytest.mark.parametrize(
    ("recorded", "moment"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-03", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-05T10:00:00+02:00", datetime(2024, 3, 5, 8, tzinfo=UTC)),
        ("2024-03-05T10:00:00.123456789Z", datetime(2024, 3, 5, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2023-02-29", UNDATED),
        ("0001-01-01T00:00:00+14:00", UNDATED),
        ("yesterday", UNDATED),
        ("", UNDATED),
    ],
)
def test_dates_are_ordered_by_their_earliest_moment(recorded: str, moment: datetime) -> None:
    assert lower_bound(recorded) == moment


def test_dates_are_shown_as_precisely_as_recorded_with_the_month_in_letters() -> None:
    assert [display_date(text) for text in ("2025-03-14", "2025-03", "2025", "spring")] == [
        "14-Mar-2025", "Mar-2025", "2025", "spring",
    ]  # fmt: skip
    assert display_date("2025-03-14T08:30:00Z", with_time=True) == "14-Mar-2025 08:30 UTC"
