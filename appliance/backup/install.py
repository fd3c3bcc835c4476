"""Puts a verified backup in the place of what this box holds.

Everything is checked before anything is touched. From then on a marker keeps every door shut until the end,
and each step can be done again: killed anywhere, the same command goes on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyrage
from django.conf import settings as django_settings
from django.db import connections

from appliance.backup import manifest, snapshot
from appliance.backup.make import SITE_FILES
from appliance.backup.manifest import BackupRefusedError
from appliance.config import SECRET_NAMES
from appliance.restoring import marker_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyrage.x25519 import Identity

    from appliance.backup.manifest import Manifest
    from appliance.config import Config

STAGING: Final = "restore-staging"
_SQLITE_BESIDE: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup whose every part was verified; its sealed part lies open in `staging` (0700)."""

    folder: Path
    manifest: Manifest
    staging: Path


def check(settings: Config, folder: Path, *, signer: str, identity: Identity, say: Callable[[str], None]) -> Checked:
    """Verify a backup whole and open its sealed part beside this installation's data.

    Raises:
        BackupRefusedError: `not-a-backup`, `not-signed`, `other-signer`, `other-format`, `other-engine`, `damaged`,
            `other-identity`, `no-room`.
    """
    held = manifest.read(folder, signer=signer)
    if held.engine != snapshot.engine():
        raise BackupRefusedError("other-engine", held.engine)
    needed = held.sealed_size * 3 + sum(one.size for one in held.objects)
    settings.var.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.var).free < needed:
        raise BackupRefusedError("no-room", f"{needed} bytes")
    if manifest.digest_of(folder / manifest.SEALED) != (held.sealed_sha256, held.sealed_size):
        raise BackupRefusedError("damaged", manifest.SEALED)
    for place, one in enumerate(held.objects):
        if place % 500 == 0:
            say(f"checking originals: {place} of {len(held.objects)}")
        path = manifest.object_path(folder.parent, one.name)
        if not path.is_file() or manifest.digest_of(path) != (one.sha256, one.size):
            raise BackupRefusedError("damaged", one.name)
    return Checked(folder, held, _open(settings, folder / manifest.SEALED, identity))


# Between services of one machine only: nothing that is kept was encrypted or signed with them.
_OF_THE_BOX: Final = ("vector_api_key", "vllm_api_key")


def install(checked: Checked, settings: Config, *, secrets_to: Path, say: Callable[[str], None]) -> None:
    """Put databases, originals, secrets and configuration in place; the marker stays for the caller to end.

    Args:
        checked: what `check` returned.
        settings: of this installation, whose database connections this process must no longer need.
        secrets_to: folder of the secrets; on a site, that of its credentials.
        say: told how far it is.

    Raises:
        BackupRefusedError: `restore-failed`.
    """
    manifest.put(marker_of(settings), f"{checked.folder}\n".encode())
    say("originals")
    for one in checked.manifest.objects:
        _place(manifest.object_path(checked.folder.parent, one.name), settings.var / "originals" / one.name[:2])
    say("secrets and configuration")
    secrets_to.mkdir(parents=True, exist_ok=True, mode=0o700)
    prefix = "appliance_" if settings.profile == "site" else ""  # as the configuration names credentials
    for secret in SECRET_NAMES:
        if settings.profile == "site" and secret in _OF_THE_BOX:
            # The services that run here ask for their own; on another box than the backup's it is another.
            manifest.put(secrets_to / f"{prefix}{secret}", settings.secret(secret).encode())
            continue
        manifest.put(secrets_to / f"{prefix}{secret}", (checked.staging / "secrets" / secret).read_bytes())
    for name in SITE_FILES:
        path = checked.staging / "config" / f"{name}.json"
        if path.is_file():
            target = getattr(settings, name) or settings.var / f"{name}.json"
            manifest.put(target, path.read_bytes())
            target.chmod(0o640)  # on a site the door that reads it is another user of its group
    for alias in ("default", "audit"):
        say(f"database {alias}")
        connections[alias].close()
        _install_database(alias, checked.staging)
    # Vectors are rebuilt from the record: what the index held belongs to another state.
    if settings.profile == "embedded":
        shutil.rmtree(settings.var / "vectors", ignore_errors=True)


def finish(settings: Config) -> None:
    """Remove what was laid open and the marker: the doors may open."""
    shutil.rmtree(settings.var / STAGING, ignore_errors=True)
    marker_of(settings).unlink(missing_ok=True)


def _open(settings: Config, sealed: Path, identity: Identity) -> Path:
    staging = settings.var / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    packed = staging / "packed.tar"
    try:
        packed.touch(mode=0o600)
        pyrage.decrypt_file(str(sealed), str(packed), [identity])
    except pyrage.DecryptError:
        raise BackupRefusedError("other-identity", sealed.name) from None
    with tarfile.open(packed) as tar:
        for member in tar:  # Debian 12's Python is older than tarfile's own filters
            inside = (staging / member.name).resolve().is_relative_to(staging.resolve())
            if not inside or not (member.isfile() or member.isdir()):
                raise BackupRefusedError("damaged", sealed.name)
            tar.extract(member, staging, set_attrs=False)
    packed.unlink()
    wanted = [snapshot.file_of("default"), snapshot.file_of("audit"), *(f"secrets/{name}" for name in SECRET_NAMES)]
    missing = next((name for name in wanted if not (staging / name).is_file()), None)
    if missing:
        raise BackupRefusedError("damaged", missing)
    return staging


def _place(source: Path, folder: Path) -> None:
    target = folder / source.name
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)  # on a site, as the store makes it: for its group
    beside = folder / f".incoming-{source.name}"
    shutil.copyfile(source, beside)
    with beside.open("rb") as file:
        os.fchmod(file.fileno(), 0o640)
        os.fsync(file.fileno())
    beside.replace(target)


def _install_database(alias: str, staging: Path) -> None:
    source = staging / snapshot.file_of(alias)
    if snapshot.engine() == snapshot.POSTGRESQL:
        _pg_restore(alias, source)
        return
    target = django_settings.DATABASES[alias]["NAME"]
    beside = target.with_name(f".{target.name}.restored")
    shutil.copyfile(source, beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in _SQLITE_BESIDE:  # a log of the old database would be played into the new one
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    beside.replace(target)
    manifest.flush_folder(target.parent)


def _pg_restore(alias: str, source: Path) -> None:
    """Replace everything in the database in one transaction: the old state or the new one, nothing between."""
    arguments, given = snapshot.connection_arguments(alias)
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    name = django_settings.DATABASES[alias]["NAME"]
    try:
        subprocess.run(["pg_restore", *arguments, *options, "--dbname", name, str(source)], env=given, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise BackupRefusedError("restore-failed", alias) from None
