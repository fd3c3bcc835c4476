"""Latest, previous, extremes and trend respect status, sample, unit and comparator."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.facts import MeasureKey, measure_key
from clinical.domain.facts.measurements import (
    extremes,
    flag,
    latest_value,
    latest_values,
    other_samples,
    previous_value,
    row_of,
    series,
)
from clinical.domain.facts.naming import analyte
from clinical.domain.facts.statements import latest_vitals, recent_results
from clinical.domain.facts.trends import trend
from tests.unit.fhir_builders import concept, facts, observation

BLOOD, URINE = MeasureKey("potassium", "blood"), MeasureKey("potassium", "urine")


def value(fact: object) -> str:
    assert fact is not None
    return row_of(fact).value.text  # type: ignore[arg-type]  # tests pass facts


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Potassium [Moles/volume] in Serum or Plasma", "potassium"),
        ("Potassium SerPl-sCnc", "potassium"),
        ("Potassium, Blood", "potassium"),
        ("Hemoglobin [Mass/volume] in Blood", "hemoglobin"),
        ("Haemoglobin A1c/Haemoglobin.total in Blood", "hemoglobin a1c/hemoglobin.total"),
        ("Blood pressure systolic", "blood pressure systolic"),
        ("WBC Auto (Bld) [#/Vol]", "wbc"),
    ],
)
def test_the_analyte_is_named_without_specimen_and_method(name: str, meant: str) -> None:
    assert analyte(name) == meant


def test_the_code_decides_before_the_name() -> None:
    (fact,) = facts(observation("Serum K level", "4.4", code="2823-3"))
    assert measure_key(row_of(fact)) == BLOOD


def test_blood_and_urine_are_never_mixed() -> None:
    held = facts(
        observation("Potassium", "4.4", on="2025-01-01"),
        observation("Potassium [Moles/volume] in Urine", "61", on="2025-02-01"),
    )
    assert value(latest_value(held, BLOOD)) == "4.4 mmol/L"
    assert value(latest_value(held, URINE)) == "61 mmol/L"
    assert other_samples(held[1:], BLOOD) == [URINE]


def test_error_cancelled_and_pending_results_are_no_results() -> None:
    held = facts(
        observation("Potassium", "4.4", on="2025-01-01"),
        observation("Potassium", "9.9", on="2025-01-02", status="entered-in-error"),
        observation("Potassium", "8.8", on="2025-01-03", status="cancelled"),
        observation("Potassium", None, on="2025-01-04", status="registered"),
    )
    assert value(latest_value(held, BLOOD)) == "4.4 mmol/L"


def test_a_correction_stands_for_the_final_and_the_final_for_the_preliminary() -> None:
    held = facts(
        observation("Potassium", "6.9", status="final"),
        observation("Potassium", "4.9", status="corrected"),
        observation("Potassium", "7.0", status="preliminary"),
    )
    assert [value(fact) for fact in series(held, BLOOD)] == ["4.9 mmol/L"]


def test_a_correction_stands_for_the_final_of_the_same_moment_in_another_zone() -> None:
    held = facts(
        observation("Potassium", "6.9", on="2025-03-01T08:00:00Z", status="final"),
        observation("Potassium", "4.9", on="2025-03-01T09:00:00+01:00", status="corrected"),
        observation("Potassium", "4.5", on="2025-03-01T09:00:00Z", status="final"),
    )
    assert sorted(value(fact) for fact in series(held, BLOOD)) == ["4.5 mmol/L", "4.9 mmol/L"]


def test_two_results_for_one_moment_are_both_kept() -> None:
    held = facts(observation("Potassium", "4.1"), observation("Potassium", "5.1"))
    assert len(latest_values(held, BLOOD)) == 2
    assert previous_value(held, BLOOD) is None


def test_a_partial_date_is_ordered_by_its_beginning() -> None:
    held = facts(observation("Potassium", "4.1", on="2024"), observation("Potassium", "4.2", on="2023-12-31"))
    assert value(latest_value(held, BLOOD)) == "4.1 mmol/L"
    assert value(previous_value(held, BLOOD)) == "4.2 mmol/L"


def test_extremes_compare_converted_values_and_leave_comparators_out() -> None:
    comparator = {"valueQuantity": {"value": "100", "comparator": ">", "unit": "mmol/L"}}
    held = facts(
        observation("Glucose", "5.5", on="2025-01-01"),
        observation("Glucose", "9.0", on="2025-01-02"),
        observation("Glucose", "180", "mg/dL", on="2025-01-03"),  # 9.99 mmol/L
        observation("Glucose", comparator, on="2025-01-04"),
    )
    found = series(held, MeasureKey("glucose", "blood"))
    assert sorted(value(fact) for fact in extremes(found, highest=True)) == ["180 mg/dL"]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6))
def test_rising_means_three_points_none_of_which_falls_and_a_change_that_counts(numbers: list[int]) -> None:
    held = facts(*(observation("Potassium", str(n), on=f"2025-01-{day:02}") for day, n in enumerate(numbers, 1)))
    seen, last = trend(series(held, BLOOD)), numbers[-3:]
    rises = all(earlier <= later for earlier, later in pairwise(last)) and last[0] != last[-1]
    rises = rises and (last[-1] - last[0]) * 100 >= 5 * last[0]
    assert (seen.direction == "rising") == (len(last) == 3 and rises)
    assert seen.change == Decimal(last[-1] - last[0])


@pytest.mark.parametrize(
    ("digits", "unit", "expected"),
    [("5.6", "mmol/L", "H"), ("3.4", "mmol/L", "L"), ("4.4", "mmol/L", ""), ("56", "mg/dL", "")],
)
def test_the_flag_follows_the_range_of_the_day_in_its_unit(digits: str, unit: str, expected: str) -> None:
    bounds = [{"low": {"value": "3.5", "unit": "mmol/L"}, "high": {"value": "5.5", "unit": "mmol/L"}}]
    (fact,) = facts(observation("Potassium", digits, unit, referenceRange=bounds))
    assert flag(row_of(fact)) == expected


def test_the_recorded_interpretation_goes_before_the_range() -> None:
    (fact,) = facts(observation("Potassium", "4.4", interpretation=[{"coding": [{"code": "LL"}]}]))
    assert flag(row_of(fact)) == "L"


def test_a_pressure_panel_stands_for_its_parts_in_the_vital_signs() -> None:
    parts = [
        {"code": concept("Systolic", "8480-6"), "valueQuantity": {"value": 131, "unit": "mmHg"}},
        {"code": concept("Diastolic", "8462-4"), "valueQuantity": {"value": 85, "unit": "mmHg"}},
    ]
    vital: dict[str, Any] = {"category": [{"coding": [{"code": "vital-signs"}]}]}
    held = facts(
        observation("Blood pressure", {"component": parts}, code="85354-9", **vital),
        observation("Heart rate", "72", "/min", **vital),
        observation("Potassium", "4.4"),
    )
    assert [fact.row.text for fact in latest_vitals(held)] == ["Blood pressure", "Heart rate"]
    assert [key for key, _ in recent_results(held)] == [BLOOD]


def test_pressure_recorded_in_parts_answers_for_blood_pressure() -> None:
    held = facts(observation("Systolic blood pressure", "120", "mm[Hg]"), observation("Diastolic BP", "70", "mm[Hg]"))
    assert len(latest_values(held, MeasureKey("blood-pressure"))) == 2


@pytest.mark.parametrize(
    ("name", "unit", "values", "direction"),
    [
        ("Sodium", "mmol/L", ["138", "139", "140"], "steady"),  # under 2 % of the oldest
        ("Sodium", "mmol/L", ["138", "139", "141"], "rising"),
        ("Creatinine", "mg/dL", ["1.0", "1.02", "1.04"], "steady"),
        ("Creatinine", "mg/dL", ["1.0", "1.2", "1.1"], "varying"),
        ("Hemoglobin A1c", "%", ["7.4", "7.2", "7.1"], "falling"),
        ("Body temperature", "Cel", ["36.6", "36.8", "37.0"], "steady"),
        ("Body temperature", "[degF]", ["97.9", "98.5", "99.0"], "rising"),  # 0.6 Celsius
    ],
)
def test_a_change_counts_from_a_stated_threshold(name: str, unit: str, values: list[str], direction: str) -> None:
    held = facts(*(observation(name, value, unit, on=f"2025-01-0{day}") for day, value in enumerate(values, 1)))
    seen = trend(series(held, measure_key(row_of(held[0]))))
    assert seen.direction == direction
    assert seen.rule


def test_a_trend_across_units_compares_converted_values() -> None:
    held = facts(
        observation("Glucose", "5.0", on="2025-01-01"),
        observation("Glucose", "108", "mg/dL", on="2025-01-02"),  # 5.99 mmol/L
        observation("Glucose", "7.0", on="2025-01-03"),
    )
    seen = trend(series(held, MeasureKey("glucose", "blood")))
    assert (seen.direction, seen.change, seen.unit) == ("rising", Decimal("2.0"), "mmol/L")
