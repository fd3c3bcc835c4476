"""Units are converted only by the table, both ways alike, and only by rows that may be used."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.facts.conversion import convert, provenance, rows
from clinical.domain.provenance import SourceStatus, Trust, row_digest


@pytest.mark.parametrize(
    ("number", "unit", "into", "concept", "expected"),
    [
        ("99", "mg/dL", "mmol/L", "glucose", "5.50 mmol/L"),
        ("5.4", "mmol/L", "mg/dL", "glucose", "97.3 mg/dL"),
        ("1.5", "mg/dL", "umol/L", "creatinine", "133 µmol/L"),
        ("200", "mg/dL", "mmol/L", "cholesterol", "5.17 mmol/L"),
        ("150", "mg/dL", "mmol/L", "triglycerides", "1.69 mmol/L"),
        ("9.4", "mg/dL", "mmol/L", "calcium", "2.35 mmol/L"),
        ("4.7", "meq/L", "mmol/L", "calcium", "2.35 mmol/L"),
        ("12.9", "g/dL", "g/L", "hemoglobin", "129 g/L"),
        ("250", "10*3/uL", "10*9/L", "platelets", "250 10*9/L"),
        ("48", "mmol/mol", "%", "hba1c", "6.54 %"),
        ("78.1", "kg", "[lb_av]", "weight", "172 lb"),
        ("36.6", "Cel", "[degF]", "temperature", "97.9 °F"),
        ("97.88", "[degF]", "Cel", "temperature", "36.6 °C"),
    ],
)
def test_values_agree_with_published_factors(number: str, unit: str, into: str, concept: str, expected: str) -> None:
    made = convert(number, unit, into, concept=concept)
    assert made is not None
    assert made.text == expected


@pytest.mark.parametrize(
    ("unit", "into", "concept"),
    [
        ("mg/dL", "mmol/L", "albumin"),  # no formula held
        ("mg/dL", "mmol/L", ""),
        ("%", "mmol/mol", "oxygen"),
        ("kg", "cm", "weight"),
        ("mg/dL", "furlong", "glucose"),
        ("mg/dL", "mmol/L", "urea-nitrogen"),  # urea or its nitrogen? the name has to say so
    ],
)
def test_what_the_table_has_no_way_for_is_not_converted(unit: str, into: str, concept: str) -> None:
    assert convert("1.0", unit, into, concept=concept, names=("Urea",)) is None


@given(
    st.decimals(Decimal("0.1"), 900, places=2),
    st.sampled_from([("glucose", "mg/dL", "mmol/L"), ("hba1c", "%", "mmol/mol"), ("", "Cel", "[degF]")]),
)
def test_there_and_back_is_the_same_number(number: Decimal, way: tuple[str, str, str]) -> None:
    concept, unit, into = way
    there = convert(f"{number:f}", unit, into, concept=concept)
    assert there is not None
    back = convert(f"{there.number:f}", into, unit, concept=concept)
    assert back is not None
    assert abs(back.number - number) < Decimal("1e-18")


def test_a_site_converts_by_unverified_rows_only_once_they_are_approved() -> None:
    def made(trust: Trust) -> bool:
        return convert("99", "mg/dL", "mmol/L", concept="glucose", trust=trust) is not None

    row = next(row for _, row, _ in rows() if row.get("analyte") == "glucose")
    assert provenance("substances").status is SourceStatus.FROM_MEMORY
    assert not made(Trust(site=True))
    assert made(Trust(site=True, approved=frozenset({row_digest("conversion/substances", row)})))
