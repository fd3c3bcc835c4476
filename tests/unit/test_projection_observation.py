"""Observations keep the record's digits, units, ranges and absences."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from clinical.domain.projection import project
from clinical.domain.projection.rows import ObservationRow
from tests.unit.fhir_builders import concept, observation


def only(resource: dict[str, Any]) -> ObservationRow:
    row = project(resource)[0]
    assert isinstance(row, ObservationRow)
    return row


def test_trailing_zeros_and_comparators_are_kept() -> None:
    quantity = '{"value": 0.010, "comparator": "<"}'
    text = f'{{"resourceType": "Observation", "code": {{"text": "Troponin"}}, "valueQuantity": {quantity}}}'
    row = only(json.loads(text, parse_float=Decimal))
    assert (row.value.number, row.value.comparator, row.value.text) == ("0.010", "<", "<0.010")


@pytest.mark.parametrize(
    ("element", "kind", "text"),
    [
        ({"valueString": "Scanty growth"}, "string", "Scanty growth"),
        ({"valueCodeableConcept": concept("Not detected")}, "codeable", "Not detected"),
        ({"valueBoolean": False}, "boolean", "no"),
        ({"valueInteger": 0}, "integer", "0"),
        ({"valueRange": {"low": {"value": 2, "unit": "cm"}, "high": {"value": 3, "unit": "cm"}}}, "range", "2–3 cm"),  # noqa: RUF001 - an en dash between numbers
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "ratio", "1 : 128"),
        ({"valueDateTime": "2025-01"}, "time", "2025-01"),
    ],
)
def test_every_kind_of_value_has_a_text(element: dict[str, Any], kind: str, text: str) -> None:
    row = only(observation("Test", element))
    assert (row.value.type, row.value.text) == (kind, text)
    assert row.anchor == tuple(element)


def test_a_missing_value_keeps_its_reason() -> None:
    row = only(observation("Potassium", {"dataAbsentReason": concept("Specimen haemolysed")}))
    assert (row.value.type, row.absent, row.anchor) == ("none", "Specimen haemolysed", ("dataAbsentReason",))


def test_components_are_rows_of_their_own_anchored_at_their_value() -> None:
    parts = [
        {"code": concept("Systolic", "8480-6"), "valueQuantity": {"value": 131, "unit": "mmHg"}},
        {"code": concept("Diastolic", "8462-4"), "valueQuantity": {"value": 85, "unit": "mmHg"}},
    ]
    panel, systolic, diastolic = project(observation("Blood pressure", {"component": parts}))
    assert isinstance(panel, ObservationRow)
    assert isinstance(diastolic, ObservationRow)
    assert [part.value.number for part in panel.components] == ["131", "85"]
    assert systolic.anchor == ("component", 0, "valueQuantity")
    assert (diastolic.panel, diastolic.value.text) == ("Blood pressure", "85 mmHg")


@pytest.mark.parametrize(
    ("name", "more", "sample"),
    [
        ("Potassium [Moles/volume] in Urine", {}, "urine"),
        ("Potassium SerPl-sCnc", {}, "blood"),
        ("Potassium", {"specimen": {"display": "Urine specimen"}}, "urine"),
        (
            "Potassium",
            {"specimen": {"reference": "#s"}, "contained": [{"id": "s", "type": {"text": "Urine"}}]},
            "urine",
        ),
        ("Urea nitrogen", {}, ""),
        ("Blood [Presence] in Urine", {}, "urine"),
    ],
)
def test_the_sample_is_what_the_record_says(name: str, more: dict[str, Any], sample: str) -> None:
    assert only(observation(name, "4.1", **more)).sample == sample


def test_reference_range_of_the_day_and_interpretation_are_kept() -> None:
    row = only(
        observation(
            "Sodium", "151",
            referenceRange=[{"low": {"value": 135, "unit": "mmol/L"}, "high": {"value": 145, "unit": "mmol/L"}}],
            interpretation=[{"coding": [{"code": "H"}]}],
        ),
    )  # fmt: skip
    assert (row.ranges[0].low, row.ranges[0].high, row.interpretation) == ("135", "145", ("H",))


@pytest.mark.parametrize(
    "broken", ["code", "valueQuantity", "effectiveDateTime", "component", "referenceRange", "category"]
)
@pytest.mark.parametrize("junk", [None, 3, "x", [], [None], {"a": 1}, [[{}]]])
def test_a_wrong_shape_never_stops_the_projection(broken: str, junk: Any) -> None:
    assert project(observation("Sodium", "140") | {broken: junk})
