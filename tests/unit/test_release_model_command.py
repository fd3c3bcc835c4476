"""`manage.py model`: what is refused is refused with a code, and everything is a row of the trail."""

from __future__ import annotations

import json
import pickle
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from appliance.config import Config
from appliance.management.commands import model as command
from appliance.model_server.manifest import verify
from clinical.models import AuditEvent
from tests.unit.release_media import Builder, flip_a_byte, put
from tests.unit.test_release_models import PAIRS, model_folder, pairs_file

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    made = Config(var=tmp_path / "var")
    monkeypatch.setattr(command, "config", lambda: made)
    return made


def run(*arguments: object) -> dict[str, Any]:
    out = StringIO()
    call_command("model", *map(str, arguments), "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[0])
    return found


def refused(*arguments: object) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 3
    return str(caught.value)


def rows() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", "outcome"))


def test_a_signed_model_is_imported_weighed_served_and_taken_back(box: Config, tmp_path: Path) -> None:
    builder, pairs = Builder(tmp_path / "builder"), pairs_file(tmp_path / "pairs.jsonl", PAIRS)
    for name in ("first", "second"):
        source = model_folder(tmp_path / name, name.encode())
        for one in source.iterdir():
            put(tmp_path / "medium" / "targets/model" / name / one.name, one.read_bytes())
    medium = builder.signed(tmp_path / "medium")
    assert "fingerprint" in refused("import", "--from", medium)
    typed = ("--fingerprint", builder.fingerprint)
    first = run("import", "--from", medium, "--name", "first", *typed)
    run("import", "--from", medium, "--name", "second")
    assert run("activate", "first", "--pairs", pairs)["passed"]
    assert box.model_path.resolve().name == first["entry"]
    assert run("activate", "second", "--pairs", pairs)["counts"]["unsupported_shown"] == 0
    assert [one["active"] for one in run("list")["models"]] == [False, True]
    assert run("rollback")["entry"] == first["entry"]
    assert verify(box.model_path, allowed=frozenset({".safetensors", ".json"})) == first["digest"]
    assert "nothing_before" in refused("rollback")
    assert rows() == [
        ("model.import", "REFUSED"),
        ("model.import", "SUCCESS"),
        ("model.import", "SUCCESS"),
        ("model.activate", "SUCCESS"),
        ("model.activate", "SUCCESS"),
        ("model.rollback", "SUCCESS"),
        ("model.rollback", "REFUSED"),
    ]


@pytest.mark.usefixtures("box")
def test_a_model_that_does_not_pass_is_not_served_and_the_result_is_kept(tmp_path: Path) -> None:
    wrong = {"id": "3", "evidence": "Aspirin 75 mg.", "sentence": "Aspirin 75 mg.", "supported": False}
    pairs = pairs_file(tmp_path / "pairs.jsonl", [*PAIRS, wrong])
    run("import", model_folder(tmp_path / "tiny"))
    assert "not activated: the gate would show 1" in refused("activate", "tiny", "--pairs", pairs)
    (kept,) = run("list")["models"]
    assert (kept["active"], kept["gate"]["passed"], kept["gate"]["pairs"]) == (False, False, 3)
    last = AuditEvent.objects.order_by("seq").last()
    assert last is not None
    assert (last.action, last.outcome, last.detail["gate"]["counts"]["unsupported_shown"]) == (
        "model.activate",
        "REFUSED",
        1,
    )


@pytest.mark.usefixtures("box")
def test_pickles_and_changed_media_are_refused(tmp_path: Path) -> None:
    source = model_folder(tmp_path / "tiny")
    put(source / "pytorch_model.bin", pickle.dumps({"weights": 1}))
    assert "forbidden_file" in refused("import", source)
    builder = Builder(tmp_path / "builder")
    (source / "pytorch_model.bin").unlink()
    for one in source.iterdir():
        put(tmp_path / "medium/targets/model/tiny" / one.name, one.read_bytes())
    medium = builder.signed(tmp_path / "medium")
    flip_a_byte(medium / "targets/model/tiny/config.json")
    assert "changed_file" in refused("import", "--from", medium, "--fingerprint", builder.fingerprint)
    assert run("list")["models"] == []
    assert rows() == [("model.import", "REFUSED")] * 2


def test_a_site_takes_no_folder_that_nobody_signed(
    box: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = box.model_copy(update={"profile": "site"})
    monkeypatch.setattr(command, "config", lambda: site)
    assert "signed media only" in refused("import", model_folder(tmp_path / "tiny"))
    assert run("list")["models"] == []
