"""What may lie in a model folder: weights as plain data, never anything that runs when it is loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO, Final

from appliance.release.files import MediumError, opened

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES: Final = frozenset({".safetensors", ".onnx", ".json", ".jinja", ".txt", ".model"})
_PICKLES: Final = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5"})
# First bytes of containers that hold pickles or programs, whatever the file is called: zip (torch.save since 1.6),
# gzip, bzip2, xz, zstd, tar is caught by suffix; ELF; the pickle protocols 2 to 5; the old torch.save; scripts.
_REFUSED_STARTS: Final = (
    b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x7fELF",
    b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"#!", b"\x93NUMPY", b"\x89HDF",
)  # fmt: skip
_LARGEST_HEADER: Final = 100 << 20  # bytes; the format's own limit
_TEXT: Final = frozenset({".json", ".jinja", ".txt"})
_SAMPLE: Final = 1 << 16
# Keys by which a configuration makes a library load Python code of the folder's own.
_CODE_KEYS: Final = frozenset({"auto_map", "trust_remote_code", "custom_pipelines"})


def check_model(folder: Path, names: list[str]) -> None:
    """Check every file of a model folder by name and by content.

    Raises:
        MediumError: code `forbidden_file`: a pickle, a program, an archive, or a file of an unknown kind.
    """
    for name in names:
        _check(folder / name, name)


def _check(path: Path, name: str) -> None:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise _refused(name, "weights are taken as safetensors only; this format can run code when it is loaded")
    if suffix not in SUFFIXES or suffix != path.suffix:
        raise _refused(name, f"allowed are {', '.join(sorted(SUFFIXES))}")
    with opened(path) as file:
        start = file.read(_SAMPLE)
        if suffix == ".safetensors":
            _check_safetensors(file, start, name)
        elif start.startswith(_REFUSED_STARTS):
            raise _refused(name, "its content is a pickle, an archive or a program, whatever its name says")
        elif suffix in _TEXT and b"\x00" in start:
            raise _refused(name, "it is not text")
    if suffix == ".json":
        _check_json(path, name)


def _check_safetensors(file: BinaryIO, start: bytes, name: str) -> None:
    """The header must be JSON of the stated length, and the tensors must fill the file exactly, without overlap."""
    size = file.seek(0, 2)
    length = int.from_bytes(start[:8], "little")
    if size < 8 or not 2 <= length <= min(_LARGEST_HEADER, size - 8):
        raise _refused(name, "it is not a safetensors file")
    file.seek(8)
    try:
        header = json.loads(file.read(length))
        spans = sorted(tuple(entry["data_offsets"]) for key, entry in header.items() if key != "__metadata__")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise _refused(name, "its safetensors header cannot be read") from None
    end = 0
    for span in spans:
        if len(span) != 2 or span[0] != end or not isinstance(span[1], int) or span[1] < end:
            raise _refused(name, "its tensors overlap or leave gaps, where other content could hide")
        end = span[1]
    if 8 + length + end != size:
        raise _refused(name, "it holds more, or less, than its header says")


def _check_json(path: Path, name: str) -> None:
    with opened(path) as file:
        try:
            content = json.load(file)
        except (ValueError, RecursionError):
            raise _refused(name, "it is not JSON") from None
    if isinstance(content, dict) and (found := _CODE_KEYS & content.keys()):
        raise _refused(name, f"{', '.join(sorted(found))} would load code from the folder")


def _refused(name: str, why: str) -> MediumError:
    return MediumError("forbidden_file", f"{name} may not lie in a model folder: {why}")
