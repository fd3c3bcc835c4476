"""A model is taken in as it was signed, weighed before it is served, and can be taken back."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, ModelFolderError, write_manifest
from appliance.release.build.medium import BuildError, build_model
from appliance.release.build.repository import Repository
from appliance.release.files import MediumError
from appliance.release.models.store import ModelStore, ModelStoreError
from appliance.release.models.weighing import weigh
from tests.fakes import ScriptedChatModel
from tests.unit.release_media import Builder, Machine, flip_a_byte, now, put

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIRS = [
    {"id": "1", "evidence": "Potassium 5.6 mmol/L.", "sentence": "Potassium was 5.6 mmol/L.", "supported": True},
    {"id": "2", "evidence": "Potassium 5.6 mmol/L.", "sentence": "Potassium was 6.5 mmol/L.", "supported": False},
]


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def model_folder(path: Path, weights: bytes = b"") -> Path:
    """Return a model's folder with a manifest; `weights` tell one model from another."""
    header = json.dumps({"w": {"data_offsets": [0, len(weights)]}}).encode()
    put(path / "model.safetensors", len(header).to_bytes(8, "little") + header + weights)
    put(path / "config.json", b'{"model_type": "llama"}')
    write_manifest(path, name="tiny", licence="Apache-2.0", source="a test", allowed=LANGUAGE_MODEL_FILES)
    return path


def pairs_file(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_a_model_comes_in_from_a_signed_medium_and_is_what_was_signed(store: ModelStore, tmp_path: Path) -> None:
    builder = Builder(tmp_path / "builder")
    source = model_folder(tmp_path / "tiny", b"\x01" * 8)
    repository = Repository(builder.repository.folder, now())
    signer = build_model(source, "tiny", tmp_path / "medium", repository, builder.keys, days=30)
    medium = Machine(tmp_path / "machine").verify(tmp_path / "medium", signer)
    model, new = store.import_medium(medium, now=NOON)
    assert (model.name, model.signer, new) == ("tiny", builder.fingerprint, True)
    assert (store.folder / model.entry / "model.safetensors").read_bytes() == (
        source / "model.safetensors"
    ).read_bytes()
    assert store.import_medium(medium, now=NOON) == (model, False)
    unsigned = ModelStore(tmp_path / "unsigned")
    assert unsigned.import_folder(source, now=NOON)[0].signer == "unsigned"
    assert unsigned.import_medium(medium, now=NOON)[0].signer == builder.fingerprint
    flip_a_byte(tmp_path / "medium/targets/model/tiny/model.safetensors")
    with pytest.raises(MediumError) as caught:
        store.import_medium(medium, now=NOON)
    assert caught.value.code == "changed_file"


def test_a_builder_signs_no_pickle_and_no_unrecorded_file(tmp_path: Path) -> None:
    builder = Builder(tmp_path / "builder")
    source = model_folder(tmp_path / "tiny")
    put(source / "extra.json", b"{}")
    with pytest.raises(ModelFolderError):
        build_model(source, "tiny", tmp_path / "a", builder.repository, builder.keys, days=30)
    (source / "extra.json").write_bytes(pickle.dumps({}))
    write_manifest(source, name="tiny", licence="x", source="x", allowed=LANGUAGE_MODEL_FILES)
    with pytest.raises(MediumError):
        build_model(source, "tiny", tmp_path / "b", builder.repository, builder.keys, days=30)
    with pytest.raises(BuildError):
        build_model(source, "../tiny", tmp_path / "c", builder.repository, builder.keys, days=30)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "adapter.pt", "state.pkl"])
def test_a_folder_with_a_pickle_is_refused_and_nothing_of_it_stays(
    store: ModelStore, tmp_path: Path, name: str
) -> None:
    source = model_folder(tmp_path / "tiny")
    put(source / name, pickle.dumps({"weights": 1}))
    with pytest.raises(MediumError) as caught:
        store.import_folder(source, now=NOON)
    assert caught.value.code == "forbidden_file"
    assert list(store.folder.iterdir()) == []


def test_a_folder_that_is_not_what_its_manifest_says_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = model_folder(tmp_path / "tiny", b"\x01" * 8)
    content = (source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes(content[:-1] + b"\x02")
    with pytest.raises(ModelFolderError) as caught:
        store.import_folder(source, now=NOON)
    assert caught.value.code == "changed_file"
    assert store.models() == []


def test_the_former_model_is_served_again_after_a_rollback(store: ModelStore, tmp_path: Path) -> None:
    first, _ = store.import_folder(model_folder(tmp_path / "one", b"\x01"), now=NOON)
    second, _ = store.import_folder(model_folder(tmp_path / "two", b"\x02"), now=NOON)
    with pytest.raises(ModelStoreError):
        store.former()
    store.activate(first, now=NOON)
    store.activate(second, now=NOON)
    assert store.active() == second
    store.activate(store.former(), now=NOON, back=True)
    assert store.active() == first
    with pytest.raises(ModelStoreError):
        store.former()


def test_a_model_changed_on_the_disk_cannot_be_activated(store: ModelStore, tmp_path: Path) -> None:
    model, _ = store.import_folder(model_folder(tmp_path / "one"), now=NOON)
    flip_a_byte(store.folder / model.entry / "config.json")
    with pytest.raises(ModelFolderError):
        store.activate(model, now=NOON)
    assert store.active() is None


def test_a_name_that_means_several_models_is_refused(store: ModelStore, tmp_path: Path) -> None:
    first, _ = store.import_folder(model_folder(tmp_path / "one", b"\x01"), now=NOON, name="med")
    store.import_folder(model_folder(tmp_path / "two", b"\x02"), now=NOON, name="med")
    with pytest.raises(ModelStoreError) as caught:
        store.find("med")
    assert caught.value.code == "ambiguous"
    assert store.find(first.digest[:10]) == store.find(first.entry) == first


def test_a_gate_that_would_show_something_unsupported_stops_a_model(tmp_path: Path) -> None:
    wrong = {"id": "3", "evidence": "Aspirin 75 mg.", "sentence": "Aspirin 75 mg.", "supported": False}
    found = weigh(pairs_file(tmp_path / "p", [*PAIRS, wrong]), chat=None, most_wrong=0, trials=5)
    assert not found.passed and "1 unsupported" in found.why
    assert weigh(tmp_path / "p", chat=None, most_wrong=1, trials=5).passed


def test_pairs_that_cannot_fail_are_no_weighing(tmp_path: Path) -> None:
    assert not weigh(pairs_file(tmp_path / "p", PAIRS[:1]), chat=None, most_wrong=0, trials=5).passed
    assert not weigh(pairs_file(tmp_path / "q", PAIRS[1:]), chat=None, most_wrong=0, trials=5).passed


def test_what_a_model_writes_is_weighed_by_the_same_gate(tmp_path: Path) -> None:
    path = pairs_file(tmp_path / "p", PAIRS)
    says = "Potassium was 5.6 mmol/L. Sodium was 140 mmol/L."
    good = weigh(path, chat=ScriptedChatModel(says), most_wrong=0, trials=5)
    assert good.drafts is not None
    assert (good.drafts.shown, good.drafts.withheld, good.passed) == (1, 1, True)
    down = weigh(path, chat=ScriptedChatModel(says, down=True), most_wrong=0, trials=5)
    assert not down.passed and down.why == "the model gave no answer to 1 of 1"
    mute = weigh(path, chat=ScriptedChatModel(""), most_wrong=0, trials=5)
    assert not mute.passed
    wrong = weigh(path, chat=ScriptedChatModel("Potassium was 6.5 mmol/L."), most_wrong=0, trials=5)
    assert not wrong.passed and wrong.why == "nothing the model wrote could be shown"
