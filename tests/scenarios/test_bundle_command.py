"""`manage.py bundle`: from keys to a medium with a model, signed anew, and verified by its fingerprint."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.unit.release_media import flip_a_byte, put
from tests.unit.test_release_models import model_folder


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("bundle", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def given(tmp_path: Path) -> tuple[object, ...]:
    """Return the arguments that name keys and repository; the keys are made."""
    put(tmp_path / "passphrase", b"correct horse battery staple\n")
    keys = ("--keys", tmp_path / "keys", "--passphrase-file", tmp_path / "passphrase")
    return (*keys, "--repository", tmp_path / "repository")


def test_a_model_medium_is_made_refreshed_and_verified(given: tuple[object, ...], tmp_path: Path) -> None:
    made = run("keys", *given)
    fingerprint = run("fingerprint", *given[-2:]).strip()
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}", fingerprint)
    assert fingerprint in made
    medium = tmp_path / "medium"
    run("model", model_folder(tmp_path / "tiny"), "--name", "tiny", "--out", medium, *given)
    verify = ("verify", medium, "--fingerprint", fingerprint, "--trust", tmp_path / "trust")
    assert "genuine: 3 files" in run(*verify)
    before = (medium / "metadata/timestamp.json").read_bytes()
    run("refresh", medium, "--days", "10", *given)
    assert "genuine: 3 files" in run(*verify)
    (medium / "metadata/timestamp.json").write_bytes(before)
    with pytest.raises(CommandError, match="older than what was seen before"):
        run(*verify)


def test_a_changed_medium_is_refused(given: tuple[object, ...], tmp_path: Path) -> None:
    run("keys", *given)
    run("model", model_folder(tmp_path / "tiny"), "--name", "tiny", "--out", tmp_path / "medium", *given)
    flip_a_byte(tmp_path / "medium/targets/model/tiny/model.safetensors")
    with pytest.raises(CommandError, match="is not what was signed"):
        run("verify", tmp_path / "medium", "--fingerprint", run("fingerprint", *given[-2:]))


def test_keys_are_not_made_twice_and_a_folder_in_use_is_not_built_into(
    given: tuple[object, ...], tmp_path: Path
) -> None:
    run("keys", *given)
    with pytest.raises(CommandError, match="exists already"):
        run("keys", *given)
    put(tmp_path / "medium/mine.txt", b"kept")
    with pytest.raises(CommandError, match="must be an empty folder"):
        run("model", model_folder(tmp_path / "tiny"), "--name", "tiny", "--out", tmp_path / "medium", *given)
    assert (tmp_path / "medium/mine.txt").read_bytes() == b"kept"
