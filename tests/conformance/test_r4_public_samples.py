"""Public FHIR R4 samples go in whole: nothing refused, nothing lost, no reference left unresolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.domain.items import ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes, parse_file

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir"
BUNDLES = sorted((SAMPLES / "synthea").glob("*.json"))
SINGLE = sorted((SAMPLES / "us_core").glob("*.json"))

pytestmark = pytest.mark.skipif(not (BUNDLES and SINGLE), reason="the public sample data is not beside the project")


def references_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [r for inner in value.values() for r in references_in(inner)]
    return [r for inner in value for r in references_in(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.stem[:20])
def test_every_entry_of_a_bundle_goes_in(path: Path) -> None:
    entries = json.loads(path.read_bytes())["entry"]
    items = list(parse_file(path, ParseContext()))
    assert [i for i in items if isinstance(i, RejectedItem)] == []
    stored = {f"{i.resource_type}/{i.resource_id}": json.loads(i.content) for i in items if isinstance(i, ResourceItem)}
    assert len(stored) == len(items) == len(entries)
    for entry in entries:
        resource = entry["resource"]
        assert f"{resource['resourceType']}/{resource['id']}" in stored
    targets = {r for resource in stored.values() for r in references_in(resource) if not r.startswith("#")}
    assert targets <= set(stored)


@pytest.mark.parametrize("path", SINGLE, ids=lambda p: p.stem)
def test_every_single_resource_goes_in_byte_for_byte(path: Path) -> None:
    items = list(parse_file(path, ParseContext()))
    whole = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    entries = json.loads(whole).get("entry")
    assert len(items) == (1 if entries is None else len(entries))
    for item in items:
        assert isinstance(item, ResourceItem), item
        assert item.content == whole if entries is None else item.server


def test_the_same_resources_go_in_as_bulk_data() -> None:
    lines = [json.dumps(json.loads(path.read_bytes())) for path in SINGLE]
    items = list(parse_bytes("\n".join(lines).encode(), ParseContext()))
    assert [i for i in items if isinstance(i, RejectedItem)] == []
    assert {i.position.split(" entry")[0] for i in items} == {f"line {n + 1}" for n in range(len(SINGLE))}
