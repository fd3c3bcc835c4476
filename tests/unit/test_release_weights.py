"""A model folder holds weights as plain data; a pickle is refused under any name."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from appliance.model_server.safetensors_file import StoredTensor, write_safetensors
from appliance.release.files import MediumError
from appliance.release.weights import check_model
from tests.unit.release_media import put


class _Runs:
    """Would call something when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def _zip(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _tar(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo("model/data.pkl")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _safetensors(header: object, data: bytes = b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


PICKLES = {f"protocol {number}": pickle.dumps(_Runs(), protocol=number) for number in range(2, 6)}
CONTENTS = PICKLES | {
    "torch's zip": _zip("archive/data.pkl", PICKLES["protocol 2"]),
    "a tar": _tar(PICKLES["protocol 2"]),
    "numpy's array of objects": b"\x93NUMPY\x01\x00" + b"\x00" * 64,
    "a program": b"\x7fELF" + b"\x00" * 64,
    "a script": b"#!/bin/sh\nid\n",
}


def refused(folder: Path, name: str, content: bytes) -> str:
    put(folder / name, content)
    with pytest.raises(MediumError) as caught:
        check_model(folder, [name])
    return caught.value.code


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
@pytest.mark.parametrize(
    "name", ["model.bin", "model.pt", "model.safetensors", "model.onnx", "tokenizer.json", "notes.txt", "spiece.model"]
)
def test_what_can_run_is_refused_whatever_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    assert refused(tmp_path, name, content) == "forbidden_file"


@pytest.mark.parametrize(
    "name",
    ["model.pth", "model.pkl", "model.ckpt", "model.h5", "modeling.py", "lib.so", "setup.sh", "model.gguf", "README",
     "model.PKL", "config.JSON", "weights.npz", "model.tar", "x.pyc", "model.safetensors.index.yaml"],
)  # fmt: skip
def test_files_of_another_kind_are_refused_even_if_harmless(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path, name, b"{}") == "forbidden_file"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        (1 << 62).to_bytes(8, "little") + b"{}",
        _safetensors(b"{not json"),
        _safetensors([1, 2]),
        _safetensors(
            {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\x00" * 4 + PICKLES["protocol 4"]
        ),
        _safetensors({"w": {"data_offsets": [8, 12]}}, b"\x00" * 12),
        _safetensors({"a": {"data_offsets": [0, 8]}, "b": {"data_offsets": [4, 12]}}, b"\x00" * 12),
        _safetensors({"w": {"data_offsets": [0, -4]}}),
        _safetensors({"w": {"data_offsets": [0, 400]}}, b"\x00" * 4),
        _safetensors(b"[" * 100_000),
    ],
    ids=["empty", "short", "huge header", "no json", "a list", "a tail", "a gap", "overlap", "negative", "cut", "deep"],
)
def test_a_safetensors_file_that_hides_something_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path, "model.safetensors", content) == "forbidden_file"


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code"])
def test_a_configuration_that_loads_code_is_refused(tmp_path: Path, key: str) -> None:
    content = json.dumps({"model_type": "llama", key: {"AutoModel": "modeling.Own"}}).encode()
    assert refused(tmp_path, "config.json", content) == "forbidden_file"


def test_what_the_demo_model_consists_of_is_taken(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", [StoredTensor("w", "F32", np.zeros((2, 2), dtype=np.float32))])
    put(tmp_path / "config.json", b'{"model_type": "llama"}')
    put(tmp_path / "chat_template.jinja", b"{{ messages }}")
    put(tmp_path / "LICENSE.txt", b"Apache License\n")
    names = sorted(path.name for path in tmp_path.iterdir())
    check_model(tmp_path, names)
    assert len(names) == 4


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").symlink_to("/etc/hostname")
    with pytest.raises(MediumError) as caught:
        check_model(tmp_path, ["config.json"])
    assert caught.value.code == "not_a_file"
