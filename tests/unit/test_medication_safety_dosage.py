"""How much an order asks for: milligrams at once and a day, or why it is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.medication_safety.dosage import doses, frequency
from clinical.domain.medication_safety.names import identify
from clinical.domain.provenance import DEMO


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("500 mg by mouth twice daily", 2),
        ("every 8 hours", 3),
        ("q6h", 4),
        ("1 tablet TID", 3),
        ("every 4 to 6 hours as needed", 6),
        ("five times daily", 5),
        ("every other day", Decimal("0.5")),
        ("at bedtime", 1),
        ("4 times a day", 4),
        ("3 times every 2 days", Decimal("1.5")),
        ("8-hourly", 3),
        ("10 mL bid", 2),
    ],
)
def test_how_often_is_read_as_doses_a_day(text: str, per_day: Decimal) -> None:
    assert frequency(text) == per_day


@pytest.mark.parametrize(("text", "days"), [("once a week on Mondays", 7), ("every two weeks", 14), ("monthly", 30)])
def test_rarer_than_daily_is_a_part_of_a_dose_a_day(text: str, days: int) -> None:
    found = frequency(text)
    assert found is not None
    assert round(1 / found, 6) == days


@pytest.mark.parametrize(
    "text", ["as needed", "", "at onset of migraine", "in the morning and at night", "every 0 hours"]
)
def test_what_is_unclear_has_no_frequency(text: str) -> None:
    assert frequency(text) is None


@pytest.mark.parametrize(
    ("name", "dosage", "dose", "timing", "single", "daily"),
    [
        ("metformin", "500 mg by mouth twice daily", "", "", 500, 1000),
        ("acetaminophen", "1 g by mouth four times daily as needed", "", "", 1000, 4000),
        ("levothyroxine", "125 micrograms once daily", "", "", Decimal("0.125"), Decimal("0.125")),
        ("Acetaminophen 325 MG Oral Tablet", "1-2 tablets every 6 hours", "", "", 650, 2600),
        ("Amoxicillin 50 MG/ML Suspension", "10 mL three times a day", "", "", 500, 1500),
        ("metformin", "", "850 mg", "3 times a day", 850, 2550),
        ("metformin", "take with food", "1,000 mg", "twice a day", 1000, 2000),
    ],
)
def test_a_dose_is_read_from_text_structure_or_strength(
    name: str, dosage: str, dose: str, timing: str, single: Decimal, daily: Decimal
) -> None:
    drug = identify(name, DEMO)

    found = doses(dosage, dose, timing, drug)[drug.ingredients[0]]

    assert (found.single_mg, found.daily_mg) == (single, daily)


def test_a_combination_takes_its_amounts_in_the_order_of_its_name() -> None:
    found = doses("49 mg/51 mg by mouth twice daily", "", "", identify("sacubitril and valsartan", DEMO))

    assert found["sacubitril"].single_mg == 49
    assert found["valsartan"].daily_mg == 102


@pytest.mark.parametrize(
    ("name", "dosage", "why"),
    [
        ("metformin", "", "no dose is recorded"),
        ("metformin", "one as directed", "the unit of the dose is not known"),
        ("metformin", "2 tablets daily", "the strength is not in the medicine's name"),
        ("warfarin", "4 mg once daily, adjusted to INR", "the dose changes with time or effect"),
        ("gentamicin", "5 mg/kg once daily", "the dose is given by weight, surface or rate"),
        ("prednisolone", "40 mg daily, 5 mg at night", "more than one amount is recorded"),
        ("co-codamol", "500 mg four times daily", "one dose is recorded for several ingredients"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, dosage: str, why: str) -> None:
    found = doses(dosage, "", "", identify(name, DEMO))

    assert {one.why_not for one in found.values()} == {why}


def test_as_needed_without_a_frequency_has_a_single_dose_only() -> None:
    found = doses("50 mg at onset of migraine", "", "", identify("sumatriptan", DEMO))["sumatriptan"]

    assert found.single_mg == 50
    assert found.daily_mg is None
    assert found.why_not == "how often is not recorded"


@given(st.text(max_size=80), st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_the_reading(dosage: str, dose: str, timing: str) -> None:
    found = doses(dosage, dose, timing, identify("metformin", DEMO))["metformin"]

    assert found.single_mg is not None or found.why_not
