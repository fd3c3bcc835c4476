"""Back up everything but weights; journal deletions; list and name the keys of backups."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.backup import journal, manifest
from appliance.backup.keys import KeyRefusedError, Signer, fingerprint, new_identity, own_identity, recipient_of
from appliance.backup.make import make
from appliance.backup.manifest import BackupRefusedError
from appliance.config import config
from clinical.audit import trail

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from appliance.backup.make import Made


class Command(BaseCommand):
    """`manage.py backup`, `backup --journal`, `backup --list`, `backup --new-identity FILE`."""

    help = "Write an encrypted, signed backup of record, trail, originals, secrets and configuration."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--journal", action="store_true", help="only write deletions that are not written yet")
        what.add_argument("--list", action="store_true", help="list the backups there are")
        what.add_argument(
            "--new-identity",
            type=Path,
            metavar="FILE",
            help="make the key that opens backups; keep it away from this box, and give its public half "
            "as APPLIANCE_BACKUP_RECIPIENT",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError: says what is wrong and what mends it.
        """
        try:
            if options["new_identity"]:
                self.stdout.write(new_identity(options["new_identity"]))
            elif options["list"]:
                self._list()
            elif options["journal"]:
                self._journal()
            else:
                self._make(as_json=options["json"])
        except KeyRefusedError as error:
            raise CommandError(f"{error.reason}: `manage.py backup --new-identity FILE` makes a key") from None
        except BackupRefusedError as error:
            raise CommandError(f"no backup was made: {error}") from None
        except OSError as error:
            raise CommandError(f"no backup was made: {type(error).__name__}, {error.strerror}") from None

    def _make(self, *, as_json: bool) -> None:
        begun = perf_counter()
        made = make(config(), now=timezone.now(), say=self.stderr.write)
        detail = {"sealed": made.manifest.sealed_sha256, "objects": len(made.manifest.objects)}
        entry = trail.Entry(action="backup.make", outcome="SUCCESS", user_id="system:backup", detail=detail)
        trail.append(entry, now=timezone.now())
        if as_json:
            held = msgspec.to_builtins(made.manifest)
            self.stdout.write(json.dumps({"folder": str(made.folder), "signer": made.signer, **held}, indent=2))
            return
        self._say(made, perf_counter() - begun)

    def _say(self, made: Made, seconds: float) -> None:
        held = made.manifest
        self.stdout.write(f"{made.folder}  in {seconds:.1f} s")
        self.stdout.write(
            f"  {held.record.patients} patients, {held.record.versions} versions, {held.record.answers} answers, "
            f"{held.trail.rows} rows of the trail; sealed {held.sealed_size:,} bytes; "
            f"{len(held.objects)} originals, {made.copied} of them new ({made.copied_bytes:,} bytes)"
        )
        self.stdout.write(f"  signed by {made.signer}  (write it down: a restore asks for it)")
        identity = own_identity(config())
        if identity.exists():
            self.stdout.write(f"  opened by {identity}  (keep a copy elsewhere: without it nothing can be restored)")

    def _journal(self) -> None:
        settings = config()
        settings.backup_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        signer = Signer(settings.secret("backup_signing_key"))
        written = journal.write_new(settings.backup_path, signer, recipient_of(settings))
        self.stdout.write(f"{written} deletions written")

    def _list(self) -> None:
        settings = config()
        signer = fingerprint(Signer(settings.secret("backup_signing_key")).public)
        for folder in manifest.folders(settings.backup_path):
            try:
                held = manifest.read(folder, signer=signer)
            except BackupRefusedError as error:
                self.stdout.write(f"{folder.name}  {error.reason}")
                continue
            self.stdout.write(f"{folder.name}  {held.product}  {held.record.patients} patients, {held.sealed_size:,} B")
