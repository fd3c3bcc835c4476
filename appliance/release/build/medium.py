"""Makes a medium from its parts: signs the list of all files, and reads it back with the very verifier."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, file_digest
from appliance.model_server.manifest import verify as verify_model
from appliance.release.build import schema
from appliance.release.build.application import put_application, source
from appliance.release.build.paper import sheet
from appliance.release.build.parts import Parts, Variant
from appliance.release.build.repository import TIMESTAMP_DAYS, Repository
from appliance.release.files import PLAIN, Target, listed
from appliance.release.names import MODEL, RELEASE, is_version
from appliance.release.verifier import INSTALL, TARGETS, verify
from appliance.release.weights import check_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.release.build.keys import KeyFolder

_EXECUTABLE: Final = 0o755


class BuildError(Exception):
    """The medium cannot be made; the message says what to give."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes onto a release's medium and where things come from; see `manage.py bundle build --help`."""

    out: Path
    keys: KeyFolder
    repository: Path
    cache: Path
    sources: Path
    language: Path
    embedder: Path
    version: str = ""
    variant: Variant = "cpu"
    qdrant: Path | None = None
    qdrant_sha256: str = ""
    days: int = TIMESTAMP_DAYS
    working_tree: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was made: bytes by part, and the seconds each step took."""

    version: str
    fingerprint: str
    paper: Path
    sizes: dict[str, int]
    seconds: dict[str, float]


def build(plan: Plan, *, now: datetime, say: Callable[[str], None]) -> Built:
    """Make a release's medium in an empty folder.

    Args:
        plan: what goes onto it.
        now: time of signing, timezone-aware.
        say: where progress goes, a line at a time.

    Raises:
        BuildError: the folder is not empty or the version cannot be one.
        MediumError: the finished medium does not pass the verifier; nothing must be shipped then.
    """
    committed = source()
    version = plan.version or committed.version
    if not is_version(version) or (plan.out.exists() and any(plan.out.iterdir())):
        raise BuildError(f"{plan.out} must be an empty folder, and {version!r} a plain version")
    if unfit := schema.faults(before := schema.former()):
        raise BuildError(f"{before.version}, the release before, could not run on its database: {'; '.join(unfit)}")
    if plan.working_tree:
        say("a trial: taken from the working tree, not from a commit")
    elif committed.changed:
        say("the working tree has changes that are not committed: they are NOT in this bundle")
    seconds: dict[str, float] = {}
    folder = plan.out / TARGETS / RELEASE / version
    parts = Parts(folder, plan.cache, say)
    with _timed("application", seconds, say):
        put_application(folder / "app", working_tree=plan.working_tree)
        parts.front_end()
    with _timed("wheels", seconds, say):
        parts.wheelhouses(plan.variant)
    with _timed("debian packages", seconds, say):
        python = parts.debian_packages(plan.sources, plan.variant)
    with _timed("models", seconds, say):
        parts.models(plan.language, plan.embedder)
        if plan.qdrant:
            parts.qdrant(plan.qdrant, plan.qdrant_sha256)
    parts.installer(version, python)
    stamp = now.isoformat(timespec="seconds")
    parts.papers(version, stamp)
    commit = f"{committed.commit}{'+working-tree' if plan.working_tree else ''}"
    _write_release(folder, plan, version, commit, stamp)
    shutil.copyfile(folder / INSTALL, plan.out / INSTALL)
    with _timed("signing", seconds, say):
        signer = sign(plan.out, Repository(plan.repository, now), plan.keys, days=plan.days)
    with _timed("verifying", seconds, say):
        read_back(plan.out, signer, now)
    paper = plan.out.with_name(f"{plan.out.name}.paper.txt")
    expires = now + timedelta(days=plan.days)
    digest = file_digest(plan.out / INSTALL)
    paper.write_text(sheet(version=version, install_sha256=digest, fingerprint=signer, signed=now, expires=expires))
    return Built(version, signer, paper, _sizes(folder), seconds)


def build_model(folder: Path, name: str, out: Path, repository: Repository, keys: KeyFolder, *, days: int) -> str:
    """Make a medium that carries one model, and return the signer's fingerprint.

    Args:
        folder: the model's folder with its manifest.
        name: letters, digits, dots and dashes.
        out: an empty folder.
        repository: the builder's.
        keys: the folder that holds the three keys for signing.
        days: days until the medium expires.

    Raises:
        BuildError: the folder is not empty or the name cannot be one.
        ModelFolderError: the model's folder is not what its manifest says.
        MediumError: a file in it could run code.
    """
    if not is_version(name) or (out.exists() and any(out.iterdir())):
        raise BuildError(f"{out} must be an empty folder, and {name!r} a plain name")
    verify_model(folder, allowed=LANGUAGE_MODEL_FILES)
    names = sorted(listed(folder))
    check_model(folder, names)
    for one in names:
        target = out / TARGETS / MODEL / name / one
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / one, target)
    signer = sign(out, repository, keys, days=days)
    read_back(out, signer, repository.now)
    return signer


def sign(out: Path, repository: Repository, keys: KeyFolder, *, days: int = TIMESTAMP_DAYS) -> str:
    """Sign every file below `targets`, write the metadata, and return the signer's fingerprint."""
    names = sorted(listed(out / TARGETS))
    repository.publish((_target(out / TARGETS / name, name) for name in names), keys, days=days)
    repository.put_metadata(out)
    return repository.fingerprint()


def read_back(out: Path, signer: str, now: datetime) -> None:
    """Verify a finished medium as a bare machine would.

    Raises:
        MediumError: it does not pass.
    """
    with tempfile.TemporaryDirectory() as trust:
        verify(out, trust=Path(trust) / "trust", typed=signer, now=now).hash_all()


def _write_release(folder: Path, plan: Plan, version: str, commit: str, stamp: str) -> None:
    content = {
        "version": version,
        "commit": commit,
        "built_at": stamp,
        "variant": plan.variant,
        "debian": "12",
        "arch": "amd64",
        "python": "3.11",
        "models": {"language": "models/language", "embedder": "models/embedder"},
        "qdrant": "qdrant/qdrant" if plan.qdrant else None,
    }
    (folder / "release.json").write_text(json.dumps(content, indent=2) + "\n")


def _target(path: Path, name: str) -> Target:
    stat = path.stat()
    return Target(name, stat.st_size, file_digest(path), _EXECUTABLE if stat.st_mode & 0o100 else PLAIN)


def _sizes(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            relative = path.relative_to(folder).parts
            part = "/".join(relative[:2]) if relative[0] == "wheels" and len(relative) > 2 else relative[0]
            sizes[part] = sizes.get(part, 0) + path.stat().st_size
    return sizes


class _timed:  # noqa: N801 - reads as a statement
    """Takes the seconds of a step."""

    def __init__(self, name: str, seconds: dict[str, float], say: Callable[[str], None]) -> None:
        self._name, self._seconds, self._say = name, seconds, say

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *_error: object) -> None:
        self._seconds[self._name] = time.monotonic() - self._begun
        self._say(f"{self._name}: {self._seconds[self._name]:.1f} s")
