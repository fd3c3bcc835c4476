"""The one verifier of signed media; releases, updates and models all pass through it.

A medium is a folder: `metadata/` (The Update Framework, by python-tuf), `targets/`, and for a release the `install`
script. The metadata must carry the signatures that the root asks for, be unexpired, and be no older than what this
machine has seen; every file must be named by it with length and sha256, and a group of files is there whole or not at
all. Contents are hashed while they are copied away, because a stick can change between two readings.

Needs Python's standard library and python-tuf only, so that it also runs on a bare machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a field's type
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final

from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.api.serialization import DeserializationError
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from appliance.release import trust as remembered
from appliance.release.files import MediumError, Target, copy_checked, listed, opened, read_checked
from appliance.release.names import RELEASE, UnsafeNameError, checked, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator

METADATA: Final = "metadata"
TARGETS: Final = "targets"
INSTALL: Final = "install"
MODE: Final = "x-appliance-mode"
_ROLES: Final = frozenset(f"{METADATA}/{role}.json" for role in ("timestamp", "snapshot", "targets"))


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium whose metadata is verified: the signed files of each group that lies on it, by whom, and when."""

    folder: Path
    groups: dict[str, tuple[Target, ...]]
    fingerprint: str
    signed_at: datetime

    def copy(self, target: Target, destination: Path) -> None:
        """Copy one file to a new place, hashing what is written.

        Raises:
            MediumError: the content is not what was signed; nothing stays at the destination.
        """
        copy_checked(self.folder / TARGETS / target.name, target, destination)

    def hash_all(self) -> int:
        """Hash every file without copying, and return the number of bytes read.

        Raises:
            MediumError: a file is not what was signed.
        """
        targets = [target for group in self.groups.values() for target in group]
        for target in targets:
            read_checked(self.folder / TARGETS / target.name, target, None)
        return sum(target.length for target in targets)


def verify(folder: Path, *, trust: Path, typed: str | None, now: datetime) -> Medium:
    """Verify a medium's metadata and that its files are just those that were signed.

    Args:
        folder: the medium.
        trust: folder of the metadata last seen on this machine; made on first use, 0700.
        typed: the signer's fingerprint as typed in; None only where a signer is remembered.
        now: this machine's time, timezone-aware.

    Raises:
        MediumError: the medium is refused; nothing of it may be used.
    """
    if not (folder / METADATA / "timestamp.json").is_file():
        raise MediumError("not_a_medium", f"{folder} is not a medium: it has no {METADATA}/timestamp.json")
    present = listed(folder)
    signer = remembered.signer(folder / METADATA, trust, typed)
    remembered.check_clock(folder / METADATA, trust, now)
    trust.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refresh(folder, trust, signer.bootstrap)
    signed_at = remembered.remember(trust)
    groups = _groups(_signed(trust), present)
    _check_nothing_more(present, groups)
    if INSTALL in present:
        _check_install(folder, groups)
    return Medium(folder, groups, signer.fingerprint, signed_at)


class _Reader(FetcherInterface):
    """Gives python-tuf the medium's metadata files; there is no network behind it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            file = opened(self._folder / METADATA / url.rpartition("/")[2])
        except MediumError as error:
            status = 404 if error.code == "missing_file" else 500
            raise tuf.DownloadHTTPError(str(error), status) from error
        with file:
            return iter([file.read(remembered.LARGEST_METADATA)])


def _refresh(folder: Path, trust: Path, bootstrap: bytes | None) -> None:
    """Let python-tuf go through its whole client workflow; what it accepts is kept in `trust`."""
    try:
        Updater(str(trust), "medium:/", fetcher=_Reader(folder), bootstrap=bootstrap).refresh()
    except tuf.ExpiredMetadataError as error:
        raise MediumError("expired", f"this medium has expired ({error}); ask for a newer one") from None
    except tuf.UnsignedMetadataError as error:
        raise MediumError("signatures", f"not signed as it must be: {error}") from None
    except tuf.BadVersionNumberError as error:
        raise MediumError("rollback", f"older than what was seen before, or of several pieces: {error}") from None
    except tuf.LengthOrHashMismatchError as error:
        raise MediumError("changed_file", f"metadata has changed since it was signed: {error}") from None
    except tuf.DownloadHTTPError as error:
        raise MediumError("missing_file", f"metadata is missing: {error}") from None
    except (tuf.RepositoryError, tuf.DownloadError, DeserializationError, ValueError) as error:
        raise MediumError("metadata", f"the metadata cannot be used: {error}") from None


def _signed(trust: Path) -> dict[str, Target]:
    """Return every file of the verified list, its name checked for use as a path."""
    targets = Metadata[Targets].from_file(str(trust / "targets.json")).signed
    if targets.delegations is not None:
        raise MediumError("metadata", "the list of files is handed on to others, which this product does not do")
    try:
        return {checked(name): _target(name, file) for name, file in targets.targets.items()}
    except UnsafeNameError as error:
        raise MediumError("unsafe_name", str(error)) from None


def _target(name: str, file: TargetFile) -> Target:
    mode, digest = file.custom or {}, file.hashes.get("sha256")
    if digest is None:
        raise MediumError("metadata", f"{name} has no sha256")
    return Target(name, file.length, digest, int(str(mode.get(MODE, "644")), 8))


def _groups(signed: dict[str, Target], present: frozenset[str]) -> dict[str, tuple[Target, ...]]:
    """Return the groups that lie on the medium; media are parts of one repository, so others may be absent."""
    here = {group_of(name.removeprefix(f"{TARGETS}/")) for name in present if name.startswith(f"{TARGETS}/")}
    groups: dict[str, list[Target]] = {group: [] for group in sorted(here)}
    for name, target in sorted(signed.items()):
        if group_of(name) not in here:
            continue
        if f"{TARGETS}/{name}" not in present:
            raise MediumError("missing_file", f"{name} is signed but not on the medium")
        groups[group_of(name)].append(target)
    return {group: tuple(targets) for group, targets in groups.items()}


def _check_nothing_more(present: frozenset[str], groups: dict[str, tuple[Target, ...]]) -> None:
    expected = {f"{TARGETS}/{target.name}" for targets in groups.values() for target in targets} | _ROLES | {INSTALL}
    more = sorted(name for name in present - expected if not _is_root(name))
    if more:
        raise MediumError("extra_file", f"{more[0]!r} is on the medium but not signed ({len(more)} such files)")


def _is_root(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder == METADATA and file.endswith(".root.json") and file.removesuffix(".root.json").isdecimal()


def _check_install(folder: Path, groups: dict[str, tuple[Target, ...]]) -> None:
    """The script that was run first must be that of a release on this medium."""
    wanted = [one for group in groups for one in groups[group] if one.name == f"{group}/{INSTALL}"]
    for target in wanted:
        if target.name.startswith(f"{RELEASE}/"):
            read_checked(folder / INSTALL, target, None)
            return
    raise MediumError("extra_file", f"{INSTALL} is on the medium but belongs to no release on it")
