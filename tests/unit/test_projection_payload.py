"""Rows survive their payload, and every public sample resource becomes rows that can be cited."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.facts import Fact, render
from clinical.domain.json_spans import locate
from clinical.domain.projection import UnknownKindError, from_payload, project, to_payload
from tests.unit.fhir_builders import allergy, condition, medication, observation

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fhir"
TEXT = st.text(max_size=12)
CONCEPT = st.fixed_dictionaries(
    {},
    optional={"text": TEXT, "coding": st.lists(st.fixed_dictionaries({"code": TEXT, "system": TEXT}), max_size=2)},
)
QUANTITY = st.fixed_dictionaries({"value": st.decimals(allow_nan=False, allow_infinity=False)}, optional={"unit": TEXT})
RESOURCES = st.one_of(
    st.builds(
        lambda code, value, parts: observation("x", {"code": code, "valueQuantity": value, "component": parts}),
        CONCEPT, QUANTITY, st.lists(st.fixed_dictionaries({"code": CONCEPT, "valueQuantity": QUANTITY}), max_size=2),
    ),
    st.builds(lambda drug, reason: medication(drug, statusReason=reason), TEXT, CONCEPT),
    st.builds(lambda code, when: allergy("x", code=code, recordedDate=when), CONCEPT, TEXT),
    st.builds(lambda text, on: condition(text, on=on), TEXT, st.dates().map(str)),
    st.fixed_dictionaries({"resourceType": st.sampled_from(["Patient", "Encounter", "Goal", "Basic", "Consent"])}),
)  # fmt: skip


@given(resource=RESOURCES)
def test_a_row_equals_its_payload_read_back_from_json(resource: dict[str, Any]) -> None:
    for row in project(resource):
        assert from_payload(json.loads(json.dumps(to_payload(row)))) == row


@pytest.mark.parametrize("change", [{"kind": "unheard-of"}, {"extra": 1}])
def test_a_payload_of_another_release_is_refused(change: dict[str, Any]) -> None:
    payload = to_payload(project(condition("Gout"))[0]) | change
    with pytest.raises(UnknownKindError):
        from_payload(payload)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public sample records are not beside this checkout")
def test_each_sample_resource_gives_rows_whose_paths_exist() -> None:
    resources = 0
    for file in [*sorted((SAMPLES / "synthea").glob("*.json"))[:3], *(SAMPLES / "us_core").glob("*.json")]:
        document = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        for resource in [entry["resource"] for entry in document.get("entry", [{"resource": document}])]:
            text = json.dumps(resource, default=float)
            for row in project(resource):
                for path in (row.anchor, row.name_path, row.effective_path):
                    start, end = locate(text, path)
                    assert start < end
                assert render(Fact(row, "x", "1")).endswith(".")
            resources += 1
    assert resources > 300
