"""A model folder is loaded only if it is exactly what was recorded, and holds nothing that can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import Config
from appliance.model_server.manifest import (
    LANGUAGE_MODEL_FILES,
    ModelFolderError,
    known_digest,
    recorded_digest,
    verify,
    whole_digest,
    write_manifest,
)
from appliance.model_server.prepare import prepare_missing
from appliance.model_server.record import main as record_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 64)
    (tmp_path / "config.json").write_text("{}")
    record(tmp_path)
    return tmp_path


def record(folder: Path) -> str:
    return write_manifest(folder, name="tiny", licence="Apache-2.0", source="made here", allowed=LANGUAGE_MODEL_FILES)


def code_of(folder: Path) -> str:
    with pytest.raises(ModelFolderError) as refused:
        verify(folder, allowed=LANGUAGE_MODEL_FILES)
    return refused.value.code


def test_an_untouched_folder_is_verified(folder: Path) -> None:
    assert verify(folder, allowed=LANGUAGE_MODEL_FILES) == recorded_digest(folder) == known_digest(folder)


def test_one_changed_byte_is_noticed(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 63 + b"\x01")
    assert code_of(folder) == "changed_file"


def test_a_missing_file_is_noticed(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert code_of(folder) == "missing_file"


def test_an_added_file_is_noticed(folder: Path) -> None:
    (folder / "adapter.safetensors").write_bytes(b"")
    assert code_of(folder) == "extra_file"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "modeling.py", "weights.gguf", "x.ckpt", "x"])
def test_only_data_may_lie_in_the_folder(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert code_of(folder) == "forbidden_file"
    with pytest.raises(ModelFolderError, match="may not lie"):
        record(folder)


def test_a_manifest_edited_by_hand_is_refused(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"config.json"', '"other.json"'))
    assert code_of(folder) == "unreadable_manifest"


def test_a_folder_without_manifest_was_not_prepared(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "not_prepared"
    assert known_digest(tmp_path) == "unrecorded"


@given(st.dictionaries(st.text("abc./", min_size=1), st.sampled_from(["0" * 64, "f" * 64])), st.randoms())
def test_the_digest_over_all_does_not_depend_on_order(files: dict[str, str], random: object) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert whole_digest(dict(shuffled)) == whole_digest(files)


class TestASitesOwnModel:
    def test_is_recorded_by_a_command_and_then_verified(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"weights")
        (tmp_path / "config.json").write_text("{}")

        assert record_folder([str(tmp_path), "own", "licence", "the vendor, 1.0"]) == 0
        assert recorded_digest(tmp_path) in capsys.readouterr().out

    def test_with_pickled_weights_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")

        assert record_folder([str(tmp_path), "own", "licence", "the vendor, 1.0"]) == 1
        assert "pytorch_model.bin" in capsys.readouterr().err

    def test_without_a_record_is_refused_and_not_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(b"weights")
        settings = Config(model_dir=tmp_path, var=tmp_path / "var")

        with pytest.raises(ModelFolderError, match="record a folder of your own"):
            prepare_missing(settings, print)
        assert (tmp_path / "model.safetensors").read_bytes() == b"weights"
