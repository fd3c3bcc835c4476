"""`manage.py egress_proof`: what it writes, how it ends, and the check of a report."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from appliance.config import Config
from appliance.management.commands import egress_proof
from appliance.proof.shapes import Check, Report

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(egress_proof, "config", lambda: Config(var=tmp_path))
    return tmp_path


def ends_as(monkeypatch: pytest.MonkeyPatch, verdict: str) -> list[Any]:
    """Let the proof find this; returns what was asked of it."""
    asked: list[Any] = []
    checks = [Check("tempted: packets", held=verdict == "held", words="0 in the sink")]
    made = Report("egress-proof", "2026-11-23T12:00:00+00:00", "1", "m", "short", verdict, 1.0, checks, [], [], [], [])

    def prove(_settings: Config, wanted: Any, **_given: Any) -> Report:
        asked.append(wanted)
        return made

    monkeypatch.setattr(egress_proof, "prove", prove)
    return asked


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("egress_proof", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_proof_that_held_is_written_signed_and_checked(monkeypatch: pytest.MonkeyPatch, var: Path) -> None:
    asked = ends_as(monkeypatch, "held")
    said = run("--short")
    assert asked[0].form == "short"
    assert "yes  tempted: packets" in said
    files = sorted(path.suffixes[-1] for path in (var / "proofs").iterdir())
    assert files == [".json", ".md", ".sig", ".sig"]
    file = next((var / "proofs").glob("*.json"))
    signer = said.partition("signed by ")[2].strip()
    assert run("--check", str(file), "--signer", signer).startswith("held, made 2026-11-23")
    with pytest.raises(CommandError, match="other-signer"):
        run("--check", str(file), "--signer", "0000 0000")


@pytest.mark.parametrize(("verdict", "code"), [("broken", 1), ("incomplete", 2)])
def test_another_end_is_an_exit_code_and_written_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verdict: str, code: int
) -> None:
    ends_as(monkeypatch, verdict)
    with pytest.raises(CommandError) as ended:
        run("--out", str(tmp_path / "here.md"))
    assert ended.value.returncode == code
    assert json.loads((tmp_path / "here.json").read_text())["verdict"] == verdict


def test_the_full_form_with_a_model_is_asked_for_and_printed_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ends_as(monkeypatch, "held")
    told = json.loads(run("--model", "--json"))
    assert (asked[0].form, asked[0].model) == ("full", True)
    assert told["checks"][0]["held"] is True


def test_a_site_without_its_signing_key_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys: dict[str, Any] = dict.fromkeys(("secret_key", "master_key", "vector_api_key", "vllm_api_key"), "x")
    monkeypatch.setattr(egress_proof, "config", lambda: Config(var=tmp_path, profile="site", **keys))
    with pytest.raises(CommandError, match="backup_signing_key"):
        run("--short")
