"""How many orders of the demo clinic and of public samples the names table covers; the share is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir"


def covered(*paths: Path) -> dict[str, dict[str, object]]:
    out = io.StringIO()
    call_command("drug_coverage", *map(str, paths), "--json", stdout=out)
    loaded: dict[str, dict[str, object]] = json.loads(out.getvalue())
    return loaded


def test_every_order_of_the_demo_clinic_is_covered() -> None:
    clinic = covered()["demo clinic"]

    assert clinic["orders"]
    assert clinic["known"] == clinic["orders"], clinic["unknown"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not on this machine")
def test_the_share_of_public_samples_is_printed_and_high(capsys: pytest.CaptureFixture[str]) -> None:
    found = covered(SAMPLES)[str(SAMPLES)]

    with capsys.disabled():
        sys.stdout.write(
            f"\nmedication names: {found['known']} of {found['orders']} public orders known; not: {found['unknown']}\n"
        )
    share = found["share"]
    assert isinstance(share, float)
    assert share >= 0.95


def test_an_unknown_medicine_is_named(tmp_path: Path) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "x",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Foozamab 5 MG Oral Tablet"},
    }
    (tmp_path / "one.ndjson").write_text(f"{json.dumps(order)}\nno json\n[]\n")
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": order | {"medicationCodeableConcept": {"text": "aspirin"}}}],
    }
    (tmp_path / "two.json").write_text(json.dumps(bundle))

    found = covered(tmp_path)[str(tmp_path)]

    assert found == {"orders": 2, "known": 1, "share": 0.5, "unknown": {"foozamab": 1}}


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file"):
        covered(tmp_path / "nowhere")
