"""The evaluate command: cases that bring their records, and records that must not be emptied."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from clinical.models import Patient
from tests.factories import bundle, clinician, observation, patient, take_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def case(**more: object) -> str:
    found = {"id": "one", "patient": "amina", "question": "What is the latest potassium?", "answerable": True}
    return json.dumps(found | {"expect": ["4.1"], "cites": ["Observation/k1"]} | more)


def test_a_kept_record_is_never_emptied(tmp_path: Path) -> None:
    take_in(bundle(patient(), observation()))
    (tmp_path / "cases.jsonl").write_text(case(records=["r.json"]) + "\n")

    with pytest.raises(CommandError, match="will not be emptied"):
        call_command("evaluate", str(tmp_path / "cases.jsonl"), "--throwaway")
    assert Patient.objects.count() == 1


def test_cases_about_patients_held_here_are_scored(tmp_path: Path) -> None:
    clinician()
    take_in(bundle(patient(), observation()))
    (tmp_path / "cases.jsonl").write_text(case() + "\n")
    out = io.StringIO()

    answers = tmp_path / "answers.jsonl"
    call_command(
        "evaluate", str(tmp_path / "cases.jsonl"), "--model", "none", "--json", "--answers", str(answers), stdout=out
    )

    report = json.loads(out.getvalue())
    assert (report["cases"], report["expect_met"], report["failures"]) == (1, 1, [])
    assert json.loads(answers.read_text())["sentences"][0]["citations"][0]["resource"] == "Observation/k1"


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(case() + "\nnot json\n")

    with pytest.raises(CommandError, match="2"):
        call_command("evaluate", str(tmp_path / "cases.jsonl"))
