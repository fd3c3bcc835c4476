"""The manifest of a model folder: the digest of each file, and one over all."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
# Weights only as data that cannot run code: no pickles, no Python files, nothing unknown.
LANGUAGE_MODEL_FILES: Final = frozenset({".safetensors", ".json", ".jinja", ".txt", ".model"})
EMBEDDER_FILES: Final = frozenset({".onnx", ".json", ".txt"})


class ModelFolderError(Exception):
    """A model folder is not what its manifest says. `code` is for logs, the message for the engineer.

    Codes: not_prepared, unreadable_manifest, forbidden_file, missing_file, extra_file, changed_file.
    """

    def __init__(self, code: str, folder: Path, detail: str) -> None:
        super().__init__(f"{folder}: {detail}")
        self.code = code


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole_digest(files: dict[str, str]) -> str:
    """Return one sha256 over the names and digests of all files, whatever their order."""
    lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_manifest(folder: Path, *, name: str, licence: str, source: str, allowed: frozenset[str]) -> str:
    """Record every file of the folder and return the digest over all.

    Args:
        folder: the model folder.
        name: the model's own name.
        licence: SPDX identifier of the weights.
        source: where the weights came from, with version.
        allowed: file suffixes that may lie in the folder.

    Raises:
        ModelFolderError: a file of another kind lies in the folder.
    """
    files = {path: file_digest(folder / path) for path in _listed(folder, allowed)}
    digest = whole_digest(files)
    content = {"name": name, "licence": licence, "source": source, "digest": digest, "files": files}
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    partial.replace(folder / MANIFEST)
    return digest


def recorded_digest(folder: Path) -> str:
    """Return the digest over all that the manifest records, without reading the weights.

    Raises:
        ModelFolderError: there is no manifest, or it contradicts itself.
    """
    return whole_digest(_recorded_files(folder))


def known_digest(folder: Path) -> str:
    """Return the digest over all, or "unrecorded": the web must start where no model was prepared."""
    try:
        return recorded_digest(folder)
    except ModelFolderError:
        return "unrecorded"


def verify(folder: Path, *, allowed: frozenset[str]) -> str:
    """Hash every file again and return the digest over all.

    Raises:
        ModelFolderError: the folder is not exactly what was recorded; it must not be loaded.
    """
    recorded = _recorded_files(folder)
    present = set(_listed(folder, allowed))
    for name in sorted(recorded.keys() - present):
        raise ModelFolderError("missing_file", folder, f"{name} is recorded but not there")
    for name in sorted(present - recorded.keys()):
        raise ModelFolderError("extra_file", folder, f"{name} is there but not recorded")
    for name, digest in sorted(recorded.items()):
        if file_digest(folder / name) != digest:
            raise ModelFolderError("changed_file", folder, f"{name} has changed since it was recorded")
    return whole_digest(recorded)


def _listed(folder: Path, allowed: frozenset[str]) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    for path in paths:
        if path.suffix not in allowed:
            detail = f"{path.name} may not lie in a model folder; allowed: {', '.join(sorted(allowed))}"
            raise ModelFolderError("forbidden_file", folder, detail)
    return [str(path.relative_to(folder)) for path in paths]


def _recorded_files(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / MANIFEST).read_text())
        files = {str(name): str(digest) for name, digest in content["files"].items()}
        digest = content["digest"]
    except FileNotFoundError:
        raise ModelFolderError(
            "not_prepared", folder, f"{MANIFEST} is missing: run make demo, or record a folder of your own"
        ) from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ModelFolderError("unreadable_manifest", folder, f"{MANIFEST} cannot be read") from None
    if digest != whole_digest(files):
        raise ModelFolderError("unreadable_manifest", folder, f"{MANIFEST} contradicts itself")
    return files
