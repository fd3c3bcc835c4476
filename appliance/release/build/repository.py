"""The repository of everything that was ever signed: counts versions up, signs, and writes a medium's metadata.

Kept by the builder in one folder (`N.root.json`, `targets.json`, `snapshot.json`, `timestamp.json`). Each medium
carries the whole metadata and the files of one group or more.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final, TypeVar

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from appliance.release.build.keys import ROOT_KEYS, ROOT_THRESHOLD, SIGNING_ROLES
from appliance.release.names import checked, group_of
from appliance.release.signer import fingerprint
from appliance.release.trust import SIGNED_AT
from appliance.release.verifier import METADATA, MODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import Signer

    from appliance.release.build.keys import KeyFolder
    from appliance.release.files import Target

ROOT_DAYS: Final = 1825
TARGETS_DAYS: Final = 366
# How long a medium may travel before it is used: within it a thief of the stick can hold a site at this release.
TIMESTAMP_DAYS: Final = 92
_Signed = TypeVar("_Signed", Root, Targets, Snapshot, Timestamp)


class RepositoryError(Exception):
    """The repository is not there, or is there already."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The builder's folder of metadata; `now` is the time of signing, timezone-aware."""

    folder: Path
    now: datetime

    def begin(self, keys: KeyFolder) -> str:
        """Sign the first root with all of its keys and return the fingerprint.

        Raises:
            RepositoryError: there is a root already.
        """
        if self.roots():
            raise RepositoryError(f"{self.folder} has a root already")
        root = Root(expires=self._in(ROOT_DAYS), consistent_snapshot=False)
        self._fill(root, keys)
        self._write(Metadata(root), "1.root", keys.signers(ROOT_KEYS))
        return fingerprint(root)

    def rotate(self, old: KeyFolder, new: KeyFolder) -> str:
        """Replace every key by the new folder's; signed by the old root keys and the new ones.

        Raises:
            RepositoryError: there is no root to replace.
        """
        root = self._root()
        root.version += 1
        root.expires = self._in(ROOT_DAYS)
        root.keys.clear()
        for role in root.roles.values():
            role.keyids.clear()
        self._fill(root, new)
        signers = [*old.signers(ROOT_KEYS[:ROOT_THRESHOLD]), *new.signers(ROOT_KEYS)]
        self._write(Metadata(root), f"{root.version}.root", signers)
        return fingerprint(root)

    def publish(self, added: Iterable[Target], keys: KeyFolder, *, days: int = TIMESTAMP_DAYS) -> None:
        """Sign a list of files that holds the added groups besides all others.

        Args:
            added: every file of each group that is new or changed.
            keys: the folder that holds the three keys for signing.
            days: days until the medium expires.
        """
        targets = self._load("targets", Targets) or Targets()
        files = list(added)
        groups = {group_of(target.name) for target in files}
        kept = {name: file for name, file in targets.targets.items() if group_of(name) not in groups}
        targets.targets = dict(sorted({**kept, **{checked(one.name): _signed(one) for one in files}}.items()))
        targets.version += (self.folder / "targets.json").exists()
        targets.expires = self._in(max(TARGETS_DAYS, days))
        self._write(Metadata(targets), "targets", [keys.signer("targets")])
        self.refresh(keys, days=days)

    def refresh(self, keys: KeyFolder, *, days: int = TIMESTAMP_DAYS) -> None:
        """Sign what is there anew, so that it expires later."""
        targets = self._load("targets", Targets)
        if targets is None:
            raise RepositoryError(f"{self.folder} has nothing to sign")
        snapshot = self._load("snapshot", Snapshot) or Snapshot()
        snapshot.version += (self.folder / "snapshot.json").exists()
        snapshot.expires = self._in(max(TARGETS_DAYS, days))
        snapshot.meta["targets.json"] = self._meta("targets", targets.version)
        self._write(Metadata(snapshot), "snapshot", [keys.signer("snapshot")])
        timestamp = self._load("timestamp", Timestamp) or Timestamp()
        timestamp.version += (self.folder / "timestamp.json").exists()
        timestamp.expires = self._in(days)
        timestamp.snapshot_meta = self._meta("snapshot", snapshot.version)
        timestamp.unrecognized_fields[SIGNED_AT] = self.now.isoformat(timespec="seconds")
        self._write(Metadata(timestamp), "timestamp", [keys.signer("timestamp")])

    def put_metadata(self, medium: Path) -> None:
        """Write the whole metadata onto a medium."""
        folder = medium / METADATA
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*self.roots(), *(self.folder / f"{role}.json" for role in SIGNING_ROLES)]:
            shutil.copyfile(path, folder / path.name)

    def fingerprint(self) -> str:
        """Return the signer's fingerprint by the newest root."""
        return fingerprint(self._root())

    def roots(self) -> list[Path]:
        """Return the roots, oldest first."""
        return sorted(self.folder.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))

    def _fill(self, root: Root, keys: KeyFolder) -> None:
        for signer in keys.signers(ROOT_KEYS):
            root.add_key(signer.public_key, "root")
        root.roles["root"].threshold = ROOT_THRESHOLD
        for role in SIGNING_ROLES:
            root.add_key(keys.signer(role).public_key, role)

    def _root(self) -> Root:
        roots = self.roots()
        if not roots:
            raise RepositoryError(f"{self.folder} has no root: make one with `manage.py bundle keys`")
        return Metadata[Root].from_file(str(roots[-1])).signed

    def _load(self, role: str, kind: type[_Signed]) -> _Signed | None:
        path = self.folder / f"{role}.json"
        if not path.exists():
            return None
        signed = Metadata.from_file(str(path)).signed
        assert isinstance(signed, kind)  # noqa: S101 - our own file, named after its kind
        return signed

    def _write(self, metadata: Metadata[_Signed], name: str, signers: Sequence[Signer]) -> None:
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(signer, append=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{name}.partial"
        metadata.to_file(str(partial))
        partial.replace(self.folder / f"{name}.json")

    def _meta(self, role: str, version: int) -> MetaFile:
        content = (self.folder / f"{role}.json").read_bytes()
        return MetaFile.from_data(version, content, ["sha256"])

    def _in(self, days: int) -> datetime:
        return (self.now + timedelta(days=days)).replace(microsecond=0)


def _signed(target: Target) -> TargetFile:
    custom = {"custom": {MODE: f"{target.mode:o}"}}
    return TargetFile(target.length, {"sha256": target.sha256}, target.name, custom)
