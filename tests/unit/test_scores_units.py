"""A score is the same for the same quantity in either unit; an unknown unit is refused by name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.scores.tables import read
from clinical.domain.scores.units import to_formula_unit, unit_for
from tests.unit.fhir_builders import observation
from tests.unit.scores_builders import ask, at, bedside, head, person, texts, value, vitals

D = Decimal
LIVER = {"bilirubin": "2.1", "creatinine": "1.4", "inr": "1.5", "sodium": "131", "albumin": "2.9"}


@pytest.mark.parametrize(
    ("quantity", "digits", "unit", "expected"),
    [
        ("creatinine", "88.4", "umol/L", "1"), ("creatinine", "88.4", "µmol/L", "1"),
        ("bilirubin", "17.1", "umol/L", "1"), ("calcium", "2.495", "mmol/L", "10"),
        ("albumin", "38", "g/L", "3.8"), ("urea-nitrogen", "20", "mg/dL", "7.14"),
        ("sodium", "138", "mEq/L", "138"), ("temperature", "100.4", "[degF]", "38"),
        ("weight", "10", "lb", "4.5359237"), ("height", "70", "[in_i]", "177.8"), ("height", "1.7", "m", "170"),
        ("glucose", "100", "mg/dL", "5.551"),
    ],
)  # fmt: skip
def test_conversions_are_exact(quantity: str, digits: str, unit: str, expected: str) -> None:
    assert to_formula_unit(quantity, D(digits), unit) == D(expected)


@pytest.mark.parametrize(
    ("quantity", "unit"), [("creatinine", "mol"), ("weight", ""), ("temperature", "K"), ("inr", "s")]
)
def test_an_unlisted_unit_is_not_converted(quantity: str, unit: str) -> None:
    assert to_formula_unit(quantity, D(1), unit) is None


@given(st.sampled_from(sorted(read("units")["quantities"])), st.decimals(1, 500, places=2))
def test_the_formulas_own_unit_changes_nothing(quantity: str, number: Decimal) -> None:
    assert to_formula_unit(quantity, number, unit_for(quantity)) == number


def total(text: str) -> str:
    found = re.search(r": (-?\d+(?:\.\d+)?)", text)
    assert found, text
    return found[1]


@given(st.integers(50, 1000))
def test_egfr_is_the_same_in_either_unit(hundredths: int) -> None:
    mass = D(hundredths) / 100
    conventional = ask("calculate eGFR", person(), value("creatinine", str(mass)))
    si = ask("calculate eGFR", person(), value("creatinine", str(mass * D("88.4")), unit="umol/L"))
    assert total(head(conventional)) == total(head(si))


def test_meld_is_the_same_in_either_unit() -> None:
    si = LIVER | {"bilirubin": str(D("2.1") * D("17.1")), "creatinine": str(D("1.4") * D("88.4")), "albumin": "29"}
    units = {"bilirubin": "umol/L", "creatinine": "umol/L", "albumin": "g/L", "sodium": "meq/L"}
    given_answers = [
        ask("MELD", person(), *(value(key, digits) for key, digits in LIVER.items())),
        ask("MELD", person(), *(value(key, digits, unit=units.get(key)) for key, digits in si.items())),
    ]
    assert total(head(given_answers[0])) == total(head(given_answers[1])) == "23"


def test_temperature_and_weight_are_taken_in_customary_units_and_shown_as_recorded() -> None:
    record = [one for one in vitals() if "temperature" not in one["id"]]
    warm = ask("NEWS2", person(), *record, *bedside(), value("temperature", "101.1", unit="[degF]"))
    assert total(head(warm)) == "1"
    assert "101.1 °F" in texts(warm)
    heavy = ask("BMI", person(), value("weight", "154", unit="[lb_av]"), value("height", "66", unit="[in_i]"))
    assert total(head(heavy)) == "24.9"
    assert "154" in texts(heavy)


def test_a_unit_that_is_not_known_is_named_and_nothing_is_calculated() -> None:
    refused = ask("eGFR", person(), value("creatinine", "1.1", unit="mol"))
    assert not refused.answer.answered
    assert refused.reason == "missing"
    assert "recorded in mol, a unit not known here" in texts(refused)


def test_a_value_that_is_no_number_is_named_and_nothing_is_calculated() -> None:
    below = {"valueQuantity": {"value": "0.3", "comparator": "<", "unit": "mg/dL"}}
    refused = ask("eGFR", person(), observation("Creatinine", below, code="2160-0", on=at()))
    assert not refused.answer.answered
    assert "not a number" in texts(refused)


@pytest.mark.parametrize(
    ("text", "code", "digits", "points"),
    [
        ("Urea nitrogen", "3094-0", "19", 0),  # 6.8 mmol/L
        ("Urea nitrogen", "3094-0", "20", 1),  # 7.1 mmol/L
        ("Urea", "3091-6", "42", 0),  # 7.0 mmol/L: urea, not its nitrogen
        ("Urea", "3091-6", "43", 1),
    ],
)
def test_urea_and_urea_nitrogen_in_mass_units_are_told_apart(text: str, code: str, digits: str, points: int) -> None:
    rest: list[dict[str, Any]] = [value(key, one) for key, one in
                                  {"respiratory-rate": "16", "systolic": "120", "diastolic": "80"}.items()]  # fmt: skip
    urea = observation(text, digits, "mg/dL", code=code, on=at())
    scored = ask("CURB-65, confusion: no", person(born="1986-01-01"), *rest, urea)
    assert total(head(scored)) == str(points)
    assert f"{points} point" in next(one.text for one in scored.answer.sentences if text in one.text)
