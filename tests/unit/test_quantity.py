from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.dates import Precision, bears_out, find_dates
from clinical.domain.quantity import Quantity, find_quantities, same_value, ucum, unit_borne_out


def only(text: str) -> Quantity:
    (found,) = find_quantities(text)
    return found


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("Hb 9.1 g/dL", "9.1", "g/dL"),
        ("K 4.1 mmol/l", "4.1", "mmol/L"),
        ("500mg of metformin", "500", "mg"),
        ("platelets 1,200 x10^9/L", "1200", "10*9/L"),
        ("levothyroxine 75 micrograms", "75", "ug"),
        ("a 50-year-old man", "50", "a"),
        ("for three weeks", "3", "wk"),
        ("eGFR 45 mL/min/1.73m2", "45", "mL/min/1.73m2"),
        ("HbA1c 7.2 %", "7.2", "%"),
        ("HR 72 beats per minute", "72", "/min"),
    ],
)
def test_a_number_is_found_with_its_unit_in_ucum(text: str, value: str, unit: str) -> None:
    found = only(text)
    assert (found.value, found.unit) == (Decimal(value), unit)


def test_comparators_ranges_and_pairs_are_kept() -> None:
    assert only("troponin <0.01 ng/mL").comparator == "<"
    assert only("take 5-10 mg").high == Decimal(10)
    pressure = only("BP 128/76 mmHg")
    assert (pressure.value, pressure.high) == (Decimal(128), Decimal(76))
    assert (pressure.pair, pressure.unit) == (True, "mm[Hg]")
    assert only("pain 7 out of 10").pair


@pytest.mark.parametrize(
    "text",
    [
        "on 14-Jul-1945",
        "seen 2024-03-05",
        "since March 2024",
        "Hb fell. [1]",
        "1. Hypertension",
        "one of them",
        "T4 and B12",
    ],
)
def test_dates_markers_list_numbers_and_names_are_no_quantities(text: str) -> None:
    assert find_quantities(text) == []


def test_equal_means_same_value_and_same_unit_without_conversion() -> None:
    assert same_value(only("4.0 mmol/L"), only("4 mmol/L"))
    assert not same_value(only("<0.01"), only("0.01"))
    assert unit_borne_out(only("5 mcg"), only("5 µg"))
    assert unit_borne_out(only("K 5.6"), only("5.6 mmol/L"))
    assert not unit_borne_out(only("5.6 mmol/L"), only("K 5.6"))
    assert not unit_borne_out(only("1000 mg"), only("1 g")) or not same_value(only("1000 mg"), only("1 g"))
    assert ucum("mg per dl") == ucum("mg / dL") == "mg/dL"


@given(st.decimals(min_value=0, max_value=9999, places=2), st.sampled_from(["mg", "mmol/L", "%", "g/dL", "bpm"]))
def test_any_value_and_unit_is_found_as_written(value: Decimal, unit: str) -> None:
    found = only(f"The level was {value} {unit} then")
    assert found.value == value
    assert found.unit == ucum(unit)


@pytest.mark.parametrize(
    ("text", "precision", "parts"),
    [
        ("2024-03-05", Precision.DAY, (2024, 3, 5)),
        ("14-Jul-1945", Precision.DAY, (1945, 7, 14)),
        ("3 March 2024", Precision.DAY, (2024, 3, 3)),
        ("March 3rd, 2024", Precision.DAY, (2024, 3, 3)),
        ("March 2024", Precision.MONTH, (2024, 3, None)),
        ("03/2021", Precision.MONTH, (2021, 3, None)),
        ("in 2019", Precision.YEAR, (2019, None, None)),
        ("13/04/2024", Precision.DAY, (2024, 4, 13)),
        ("03/04/2024", Precision.AMBIGUOUS, (2024, None, None)),
    ],
)
def test_dates_are_found_in_their_written_forms(text: str, precision: Precision, parts: tuple[int | None, ...]) -> None:
    (found,) = find_dates(f"Seen {text}.")
    assert (found.precision, (found.year, found.month, found.day)) == (precision, parts)


def test_a_date_bears_out_itself_and_what_is_coarser_only() -> None:
    day, month, year = (find_dates(text)[0] for text in ("3 March 2024", "March 2024", "in 2024"))
    other, unclear = find_dates("4 March 2024")[0], find_dates("03/04/2024")[0]
    assert bears_out(month, day)
    assert bears_out(year, day)
    assert not bears_out(day, month)
    assert not bears_out(day, other)
    assert bears_out(unclear, unclear)
    assert not bears_out(find_dates("3 April 2024")[0], unclear)


def test_may_and_march_as_verbs_are_no_dates() -> None:
    assert find_dates("She may 5 times march on.") == []
