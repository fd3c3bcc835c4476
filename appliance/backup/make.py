"""Makes a backup: databases first, then the originals they name; nothing counts before the manifest is signed.

Killed anywhere, what is left is a folder whose name begins with a dot, which the next run removes.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pyrage
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from appliance.backup import journal, manifest, snapshot
from appliance.backup.keys import Signer, fingerprint, recipient_of
from appliance.backup.manifest import BackupRefusedError, Manifest, StoredObject
from appliance.config import ROOT, SECRET_NAMES
from ingestion.models import Original
from ingestion.originals import object_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyrage.x25519 import Recipient

    from appliance.backup.manifest import RecordContents
    from appliance.backup.snapshot import Ask
    from appliance.config import Config

PARTIAL: Final = ".partial-"
# What the site's engineers have written; found under var unless configured elsewhere.
SITE_FILES: Final = ("cds_clients", "fhir_clients", "ehr_servers")


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup: its folder, what it says, the signer's fingerprint, and originals copied (count, bytes)."""

    folder: Path
    manifest: Manifest
    signer: str
    copied: int
    copied_bytes: int


def make(settings: Config, *, now: datetime, say: Callable[[str], None]) -> Made:
    """Make one backup and remove the oldest beyond `backup_keep`.

    Args:
        settings: of this installation.
        now: timezone-aware; the backup's name.
        say: told how far it is.

    Raises:
        BackupRefusedError: `exists`, `dump-failed`, `original-missing`.
        KeyRefusedError: no usable recipient.
        OSError: the folder cannot be written.
    """
    signer, recipient = Signer(settings.secret("backup_signing_key")), recipient_of(settings)
    root = settings.backup_path
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in root.glob(f"{PARTIAL}*"):
        shutil.rmtree(left)
    folder = root / now.strftime(manifest.STAMP)
    if folder.exists():
        raise BackupRefusedError("exists", folder.name)
    partial = root / f"{PARTIAL}{folder.name}"
    partial.mkdir(mode=0o700)
    inside = partial / "inside"
    inside.mkdir(mode=0o700)
    say("copying the databases")
    record = snapshot.copy("default", inside, _look)
    trail = snapshot.copy("audit", inside, snapshot.trail_contents)
    originals = _copy_originals(settings, record.originals, root, say)
    journal.write_new(root, signer, recipient)
    _add_settings(settings, inside)
    say("encrypting")
    _seal(inside, partial / manifest.SEALED, recipient)
    shutil.rmtree(inside)
    sha256, size = manifest.digest_of(partial / manifest.SEALED)
    made = Manifest(
        format=manifest.FORMAT,
        made_at=now.isoformat(),
        product=product_version(),
        engine=snapshot.engine(),
        migrations=migrations(),
        record=record.contents,
        trail=trail,
        sealed_sha256=sha256,
        sealed_size=size,
        objects=originals.held,
        gone=originals.gone,
        receipts=record.receipts,
    )
    manifest.write(partial, made, signer)
    partial.rename(folder)
    manifest.flush_folder(root)
    _prune(root, settings.backup_keep, signer=fingerprint(signer.public))
    return Made(folder, made, fingerprint(signer.public), originals.copied, originals.copied_bytes)


def product_version() -> str:
    """Return the version in pyproject.toml."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def migrations() -> list[str]:
    """Return the last migration of each app that is applied, "app.name", in order."""
    loader = MigrationLoader(connections["default"])
    last = {app: name for app, name in sorted(loader.applied_migrations)}  # noqa: C416 - the last one stays
    return [f"{app}.{name}" for app, name in sorted(last.items())]


@dataclass(frozen=True, slots=True)
class _Record:
    contents: RecordContents
    originals: list[str]
    receipts: list[str]


def _look(ask: Ask) -> _Record:
    # A row without a key stands for an original that was erased.
    stored = "sealed IS NULL AND LENGTH(wrapped_key) > 0"
    originals = ask(f"SELECT sha256, wrapped_key FROM ingestion_original WHERE {stored} ORDER BY sha256")  # noqa: S608
    receipts = ask("SELECT id FROM clinical_deletionreceipt ORDER BY id")
    return _Record(
        snapshot.record_contents(ask),
        [object_name(str(sha256), bytes(wrapped)) for sha256, wrapped in originals],
        [str(UUID(str(one[0]))) for one in receipts],
    )


@dataclass(slots=True)
class _Originals:
    """Originals as they are put beside the backup."""

    held: list[StoredObject] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    copied: int = 0
    copied_bytes: int = 0


def _copy_originals(settings: Config, names: Sequence[str], root: Path, say: Callable[[str], None]) -> _Originals:
    """Copy what is not there yet. One that is gone was erased since the databases were copied, which is noted."""
    found = _Originals()
    for place, name in enumerate(names):
        if place % 500 == 0:
            say(f"originals: {place} of {len(names)}")
        source = _stored(settings, name)
        if source is None:
            found.gone.append(name)
            continue
        target = manifest.object_path(root, source.name)
        sha256, size = manifest.digest_of(source)
        if not target.exists() or manifest.digest_of(target) != (sha256, size):
            _copy(source, target)
            found.copied, found.copied_bytes = found.copied + 1, found.copied_bytes + size
        found.held.append(StoredObject(source.name, size, sha256))
    if found.gone and Original.objects.filter(sha256__in=[name.partition("-")[0] for name in found.gone]).exists():
        raise BackupRefusedError("original-missing", found.gone[0])
    return found


def _stored(settings: Config, name: str) -> Path | None:
    """Return the file of an original; those of the first version are named by their digest alone."""
    for one in (name, name.partition("-")[0]):
        path = settings.var / "originals" / one[:2] / one
        if path.is_file():
            return path
    return None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_name(f".{target.name}.partial")
    shutil.copyfile(source, beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(target)


def _add_settings(settings: Config, inside: Path) -> None:
    """Put secrets and the files that the site's engineers have written into the sealed part."""
    (inside / "secrets").mkdir(mode=0o700)
    for secret in SECRET_NAMES:
        manifest.put(inside / "secrets" / secret, settings.secret(secret).encode())
    (inside / "config").mkdir(mode=0o700)
    for name in SITE_FILES:
        path = getattr(settings, name) or settings.var / f"{name}.json"
        if path.is_file():
            manifest.put(inside / "config" / f"{name}.json", path.read_bytes())


def _seal(inside: Path, target: Path, recipient: Recipient) -> None:
    """Pack a folder and encrypt the pack."""
    packed = inside.with_name("packed.tar")
    packed.touch(mode=0o600)
    with tarfile.open(packed, mode="w") as tar:
        for path in sorted(inside.rglob("*")):
            if path.is_file():
                tar.add(path, arcname=path.relative_to(inside).as_posix())
    pyrage.encrypt_file(str(packed), str(target), [recipient])
    packed.unlink()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _prune(root: Path, keep: int, *, signer: str) -> None:
    """Remove the oldest backups beyond those kept, and the originals that no backup names any more."""
    held = manifest.folders(root)
    for old in held[:-keep]:
        shutil.rmtree(old)
    named: set[str] = set()
    for one in held[-keep:]:
        try:
            named.update(stored.name for stored in manifest.read(one, signer=signer).objects)
        except BackupRefusedError:
            return  # somebody else's, or damaged: nothing that it may need is removed
    for path in (root / manifest.OBJECTS).glob("??/*"):
        if path.name not in named:
            path.unlink()
