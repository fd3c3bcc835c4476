"""The application as committed: what a site needs of it, out of git; for trials also out of the working tree."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path  # noqa: TC003 - a parameter's type
from typing import Any, Final

import yaml

from appliance.config import ROOT

PACKAGES_FILE: Final = "ansible/group_vars/all/packages.yml"
PACKAGE_KEYS: Final = ("appliance_packages", "appliance_packages_for_proof")
# On the medium for machines with a GPU only.
GPU_PACKAGE_KEY: Final = "appliance_packages_for_gpu"
# Tests stay behind, but for the pairs that a model is weighed with; so does what is hidden.
_LEFT_OUT: Final = ("tests/",)
_TAKEN_ALL_THE_SAME: Final = ("tests/gold/gate.jsonl",)


class ApplicationError(Exception):
    """The sources cannot be taken from git."""


@dataclass(frozen=True, slots=True)
class Source:
    """The committed sources: the commit, the version that pyproject.toml states, whether the tree differs from it."""

    commit: str
    version: str
    changed: bool


def source() -> Source:
    """Return what is committed.

    Raises:
        ApplicationError: this is no git checkout.
    """
    project: dict[str, Any] = tomllib.loads(_git("show", "HEAD:pyproject.toml").decode())["project"]
    changed = bool(_git("status", "--porcelain", "--untracked-files=no").strip())
    return Source(_git("rev-parse", "HEAD").decode().strip(), str(project["version"]), changed)


def put_application(folder: Path, *, working_tree: bool = False) -> None:
    """Write the committed sources into a folder.

    Args:
        folder: where to.
        working_tree: take the files as they lie there instead, with those that git does not know yet; for trials.

    Raises:
        ApplicationError: git failed, or a link is among the sources.
    """
    if working_tree:
        names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
        for name in filter(_is_taken, filter(None, names)):
            path = ROOT / name
            if path.is_file() and not path.is_symlink():
                _put(folder / name, path.read_bytes(), path.stat().st_mode)
        return
    with tarfile.open(fileobj=BytesIO(_git("archive", "--format=tar", "HEAD"))) as archive:
        for member in archive:
            if member.isdir() or not _is_taken(member.name):
                continue
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                raise ApplicationError(f"{member.name} is no plain file")
            _put(folder / member.name, content.read(), member.mode)


def packages(application: Path, *, gpu: bool = False) -> list[str]:
    """Return the Debian packages that the roles install, from their own list; empty where there is none."""
    path = application / PACKAGES_FILE
    if not path.exists():
        return []
    content = yaml.safe_load(path.read_text()) or {}
    keys = (*PACKAGE_KEYS, *([GPU_PACKAGE_KEY] if gpu else []))
    return sorted({str(name) for key in keys for name in content.get(key) or []})


def _put(target: Path, content: bytes, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(0o755 if mode & 0o100 else 0o644)


def _is_taken(name: str) -> bool:
    if any(part.startswith(".") for part in name.split("/")):
        return False
    return name in _TAKEN_ALL_THE_SAME or not name.startswith(_LEFT_OUT)


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ApplicationError(f"git {arguments[0]}: {type(error).__name__}") from None
