"""Copies a verified release from a medium to this machine's own disk, and says later whether it is still the same.

<root>/bundles/<version>/     the copy; `.verified.json` in it lists every file with length and sha256
<root>/bin/release            this program, from the copy
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final

from appliance.release.files import MediumError, Target, listed, read_checked
from appliance.release.names import RELEASE
from appliance.release.weights import check_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.release.verifier import Medium

BUNDLES: Final = "bundles"
RELEASES: Final = "releases"
ENVIRONMENTS: Final = "environments"
RECORD: Final = ".verified.json"
PROGRAM: Final = "bootstrap/release.pyz"
_PRUNED: Final = (BUNDLES, RELEASES, "ansible", ENVIRONMENTS)
_REMOVED: Final = ".removed"
_SPARE: Final = 512 << 20  # bytes that must stay free besides the copy


@dataclass(frozen=True, slots=True)
class Staged:
    """A release on this machine's disk. `unchanged`: it was there already."""

    version: str
    folder: Path
    unchanged: bool


def stage(medium: Medium, root: Path, say: Callable[[str], None], *, wanted: str | None = None) -> Staged:
    """Copy the release on the medium; the copy bears its name only when all of it is there and on disk.

    Args:
        medium: what the verifier returned.
        root: folder of all releases, as `/opt/appliance`.
        say: where progress goes, a line at a time.
        wanted: the version, where several releases lie on the medium.

    Raises:
        MediumError: a file is not what was signed, or there is too little space.
    """
    version = _chosen(medium, wanted)
    targets = medium.groups[f"{RELEASE}/{version}"]
    folder = root / BUNDLES / version
    if folder.exists():
        if _recorded(folder) != _record(targets, version):
            raise MediumError(
                "rollback", f"{version} is on this machine with other content; a change needs a new version"
            )
        check(folder)
        _put_application(root, folder)
        _put_program(root, folder)
        return Staged(version, folder, unchanged=True)
    _check_space(root, targets)
    partial = root / BUNDLES / f".{version}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o755)
    _copy_all(medium, targets, partial, version, say)
    _check_models(partial)
    (partial / RECORD).write_text(json.dumps(_record(targets, version), indent=0))
    _sync(partial)
    partial.rename(folder)
    _sync(folder.parent)
    _put_application(root, folder)
    _put_program(root, folder)
    return Staged(version, folder, unchanged=False)


def check(folder: Path) -> int:
    """Hash a staged release again and return how many files it holds.

    Raises:
        MediumError: a file was changed, removed or added since it was verified, or nothing is staged there.
    """
    recorded = _recorded(folder)
    if recorded is None:
        raise MediumError("missing_file", f"{folder} holds no verified release")
    present = listed(folder) - {RECORD}
    if more := sorted(present - recorded.keys()):
        raise MediumError("extra_file", f"{more[0]} was added after the release was verified")
    for name, (length, digest) in recorded.items():
        read_checked(folder / name, Target(name, length, digest), None)
    return len(recorded)


def check_application(root: Path, version: str) -> int:
    """Compare the unpacked application with the verified copy it came from; returns how many files it holds.

    Raises:
        MediumError: a source file was changed, removed, or added among them.
    """
    release = root / RELEASES / version
    recorded = _recorded(root / BUNDLES / version) or {}
    files = {name.removeprefix("app/"): wanted for name, wanted in recorded.items() if name.startswith("app/")}
    for name, (length, digest) in files.items():
        read_checked(release / name, Target(name, length, digest), None)
    for folder in sorted({release / name.partition("/")[0] for name in files if "/" in name}):
        for path in folder.rglob("*.py"):
            if str(path.relative_to(release)) not in files:
                raise MediumError("extra_file", f"{path.relative_to(release)} does not belong to the release")
    return len(files)


def staged(root: Path) -> list[str]:
    """Return the versions that lie on this machine, in no particular order."""
    return sorted(path.parent.name for path in (root / BUNDLES).glob(f"[!.]*/{RECORD}"))


def prune(root: Path, kept: frozenset[str]) -> list[str]:
    """Remove every release but those kept: bundle, application, its Ansible, and environments that none of them uses.

    Each folder loses its name before its files, so that being killed leaves no half of one that a later installation
    would take for whole.

    Returns:
        The versions and environments that were removed.
    """
    for name in _PRUNED:
        for left in (root / name).glob(f".*{_REMOVED}"):
            shutil.rmtree(left)
    used = {link.resolve() for one in kept for link in (root / RELEASES / one).glob(".venv*")}
    folders = [path for name in _PRUNED for path in (root / name).glob("[!.]*") if path.is_dir()]
    gone = [
        path
        for path in folders
        if (path.resolve() not in used if path.parent.name == ENVIRONMENTS else path.name not in kept)
    ]
    for folder in gone:
        doomed = folder.with_name(f".{folder.name}{_REMOVED}")
        folder.rename(doomed)
        shutil.rmtree(doomed)
    return sorted({folder.name for folder in gone})


def _chosen(medium: Medium, wanted: str | None) -> str:
    versions = [group.partition("/")[2] for group in medium.groups if group.startswith(f"{RELEASE}/")]
    if wanted is not None and wanted in versions:
        return wanted
    if wanted is not None or len(versions) != 1:
        raise MediumError("not_a_medium", f"releases on the medium: {', '.join(versions) or 'none'}; name one")
    return versions[0]


def _copy_all(medium: Medium, targets: tuple[Target, ...], to: Path, version: str, say: Callable[[str], None]) -> None:
    whole, done, next_line = sum(target.length for target in targets), 0, 0
    for target in targets:
        medium.copy(target, to / _within(target, version))
        done += target.length
        if done >= next_line:
            say(f"verified and copied {done >> 20} of {whole >> 20} MiB")
            next_line = done + whole // 10


def _check_models(folder: Path) -> None:
    for model in sorted((folder / "models").glob("*")):
        check_model(model, sorted(listed(model)))


def _check_space(root: Path, targets: tuple[Target, ...]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    needed = sum(target.length for target in targets) + _SPARE
    free = shutil.disk_usage(root).free
    if free < needed:
        raise MediumError("no_space", f"{root} has {free >> 20} MiB free and needs {needed >> 20} MiB")


def _within(target: Target, version: str) -> str:
    return target.name.removeprefix(f"{RELEASE}/{version}/")


def _record(targets: tuple[Target, ...], version: str) -> dict[str, tuple[int, str]]:
    return {_within(target, version): (target.length, target.sha256) for target in targets}


def _recorded(folder: Path) -> dict[str, tuple[int, str]] | None:
    try:
        content = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return None
    return {name: (int(length), str(digest)) for name, (length, digest) in content.items()}


def _put_application(root: Path, folder: Path) -> None:
    """Unpack the application in one step where it is not unpacked yet."""
    release = root / RELEASES / folder.name
    if release.exists() or not (folder / "app").is_dir():
        return
    partial = root / RELEASES / f".{folder.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder / "app", partial)
    partial.rename(release)
    _sync(release.parent)


def _put_program(root: Path, folder: Path) -> None:
    """Put this program where the machine finds it, from the verified copy."""
    source, target = folder / PROGRAM, root / "bin" / "release"
    if not source.exists() or (target.exists() and target.read_bytes() == source.read_bytes()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    shutil.copyfile(source, partial)
    partial.chmod(0o755)
    partial.replace(target)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
