"""The chart: a banner that is never blank, results with flags and previous values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical.domain.chart import NONE_RECORDED, NOT_ASKED, build_chart
from clinical.domain.projection.rows import PatientRow
from clinical.domain.route.answer import age
from tests.unit.fhir_builders import allergy, concept, condition, facts, medication, observation

TODAY = date(2025, 6, 1)
NKA = allergy("none", code={"text": "No known allergies"})
DNR = {"resourceType": "Consent", "id": "d", "status": "active", "category": [concept("Do not resuscitate")]}
FULL = observation("Code status", {"valueCodeableConcept": concept("Full code")})


@pytest.mark.parametrize(
    ("resources", "text", "state"),
    [
        ([], NOT_ASKED, "never-asked"),
        ([NKA], "No known allergies (recorded 03-Feb-2019)", "none-known-recorded"),
        ([allergy("Latex", verification="refuted")], f"{NONE_RECORDED}; refuted: Latex", "refuted"),
        ([allergy("Latex", clinical="resolved")], f"{NONE_RECORDED}; no longer active: Latex", "not-recorded"),
        ([allergy("Latex", criticality="high")], "Latex (high criticality)", "recorded"),
        ([allergy("Latex"), NKA], "Latex (the record also says: No known allergies)", "conflict"),
    ],
)
def test_the_allergy_line_is_never_blank(resources: list[dict[str, Any]], text: str, state: str) -> None:
    notice = build_chart(facts(*resources), today=TODAY).banner.allergies
    assert (notice.text, notice.state) == (text, state)


@pytest.mark.parametrize(
    ("resources", "state"),
    [([], "not-recorded"), ([DNR], "no-cpr"), ([FULL], "full"), ([DNR, FULL], "conflict")],
)
def test_the_resuscitation_line_is_never_blank(resources: list[dict[str, Any]], state: str) -> None:
    notice = build_chart(facts(*resources), today=TODAY).banner.code_status
    assert notice.text
    assert notice.state == state


def test_results_are_grouped_by_test_with_flag_and_previous_value() -> None:
    bounds = [{"low": {"value": "3.5"}, "high": {"value": "5.5", "unit": "mmol/L"}}]
    chart = build_chart(
        facts(
            observation("Potassium", "4.6", on="2025-01-01"),
            observation("Potassium", "5.9", on="2025-03-01", referenceRange=bounds),
            observation("Potassium [Moles/volume] in Urine", "61", on="2025-02-01"),
            medication("Metformin"),
            condition("Gout"),
        ),
        today=TODAY,
    )
    blood, urine = chart.results
    assert (blood.value, blood.flag, blood.previous, blood.count) == ("5.9 mmol/L", "H", "4.6 mmol/L", 2)
    assert (urine.sample, urine.previous) == ("urine", "")
    assert [entry.name for entry in (*chart.medications, *chart.problems)] == ["Metformin", "Gout"]


@pytest.mark.parametrize(
    ("born", "deceased", "years"),
    [
        ("1950-06-01", "", "75"),
        ("1950-06-02", "", "74"),
        ("1950-06", "", "74 or 75"),
        ("1950-05", "", "75"),
        ("1950", "", "74 or 75"),
        ("1950-06-02", "2020-07-01T10:00:00Z", "70"),
        ("1950-06-02", "true", ""),
        ("", "", ""),
    ],
)
def test_age_is_as_exact_as_the_birth_date(born: str, deceased: str, years: str) -> None:
    died = {"deceasedBoolean": True} if deceased == "true" else {"deceasedDateTime": deceased}
    (fact,) = facts({"resourceType": "Patient", "birthDate": born} | died)
    assert isinstance(fact.row, PatientRow)
    assert age(fact.row, TODAY) == years
