"""Restore a backup onto an empty or stopped box, repeat later deletions, and compare."""

from __future__ import annotations

import getpass
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from appliance.backup import compare, journal, manifest
from appliance.backup.install import check, finish, install
from appliance.backup.keys import KeyRefusedError, own_identity, read_identity
from appliance.backup.manifest import BackupRefusedError
from appliance.config import ROOT, config, environment
from appliance.egress import listens
from appliance.processes import catalogue
from appliance.processes.supervisor import Supervisor
from appliance.restoring import marker_of
from clinical.models import DeletionReceipt, Patient
from clinical.ports import BackendUnavailableError
from ingestion.erasure.repeat import repeat
from ingestion.erasure.services import Erasing

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from appliance.backup.compare import Line
    from appliance.backup.manifest import Manifest

_INDEX_WAIT_S: Final = 60.0


class Command(BaseCommand):
    """`manage.py restore FOLDER --signer FINGERPRINT --identity FILE`."""

    help = "Put a backup in the place of what this box holds; doors stay shut until it is compared."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, help="one backup; its parent holds objects and receipts")
        parser.add_argument("--signer", required=True, help="fingerprint that the backup printed")
        parser.add_argument("--identity", type=Path, help="file of the key that opens it")
        parser.add_argument("--secrets-to", type=Path, help="folder for the secrets; default var/secrets")
        parser.add_argument("--replace", action="store_true", help="this box holds patients: put them away for good")
        parser.add_argument("--second-half", action="store_true", help="go on in a process that has the new secrets")
        parser.add_argument("--json", action="store_true", help="print the comparison as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Restore.

        Raises:
            CommandError: refused, or what was restored is not what was backed up; says which.
        """
        folder: Path = options["folder"].resolve()
        try:
            identity = read_identity(options["identity"] or own_identity(config()))
            if options["second_half"]:
                held = manifest.read(folder, signer=options["signer"])
                later = journal.read_new(
                    folder.parent, known=set(held.receipts), identity=identity, signer=options["signer"]
                )
                self._second_half(held, later, as_json=options["json"])
                return
            self._first_half(folder, options)
        except KeyRefusedError as error:
            raise CommandError(f"{error.reason}: name the key's file with --identity") from None
        except BackupRefusedError as error:
            raise CommandError(f"refused: {error}") from None

    def _first_half(self, folder: Path, options: dict[str, Any]) -> None:
        settings = config()
        open_doors = [port for port in (settings.port, settings.machine_port, settings.mllp_port) if _taken(port)]
        if open_doors:
            raise CommandError(f"stop the appliance first: ports {', '.join(map(str, open_doors))} are served")
        if not options["replace"] and _patients() and not _is_ours(folder):
            raise CommandError("this box holds patients; --replace puts them away for good")
        path: Path = options["identity"] or own_identity(settings)
        identity = read_identity(path)
        checked = check(settings, folder, signer=options["signer"], identity=identity, say=self.stderr.write)
        # Read before anything is touched: a journal that cannot be read whole stops the restore.
        journal.read_new(
            folder.parent, known=set(checked.manifest.receipts), identity=identity, signer=options["signer"]
        )
        secrets_to: Path = options["secrets_to"] or settings.var / "secrets"
        kept = path.read_bytes()
        install(checked, settings, secrets_to=secrets_to, say=self.stderr.write)
        if settings.profile == "embedded":
            manifest.put(own_identity(settings), kept)  # the next backup is for the same owner
        given = {**environment(), "CREDENTIALS_DIRECTORY": str(secrets_to)} if options["secrets_to"] else environment()
        command = [sys.executable, str(ROOT / "manage.py"), "restore", str(folder), "--second-half"]
        command += ["--signer", options["signer"], "--identity", str(path), *(["--json"] if options["json"] else [])]
        sys.stdout.flush()
        sys.stderr.flush()
        # In place of this process, not beside it: killed here, nothing goes on that a second try would meet.
        os.execve(sys.executable, command, dict(given))  # noqa: S606 - our own program

    def _second_half(self, held: Manifest, later: list[journal.Noted], *, as_json: bool) -> None:
        settings = config()
        lines = compare.compare_contents(held)
        compare.bring_up_to_date(self.stderr.write)
        with Supervisor(settings.var / "log", self.stderr.write) as supervisor:
            if settings.profile == "embedded" and not listens(settings.vector_url):
                supervisor.start(catalogue.vectors(settings))
                supervisor.wait_ready("vectors")
            try:
                lines += compare.rebuild_index(self.stderr.write)
                for one in later:
                    self._repeat(one)
            except (BackendUnavailableError, Error) as error:
                raise CommandError(
                    f"not finished: {type(error).__name__} {error}; mend it and run the same command again"
                ) from None
            lines += compare.rebuild_index(self.stderr.write) if later else []
        acting = f"os:{getpass.getuser()}"
        compare.note_restored(held, acting=acting, repeated=len(later))
        self._print(lines, len(later), as_json=as_json)
        if not all(line.equal for line in lines):
            raise CommandError("what was restored is not what was backed up; the doors stay shut")
        finish(settings)

    def _repeat(self, noted: journal.Noted) -> None:
        by = Erasing(
            user=User(username=noted.user_id),
            acting=f"os:{getpass.getuser()}",
            clock=timezone.now,
            wait_s=_INDEX_WAIT_S,
            progress=self.stderr.write,
        )
        receipt = DeletionReceipt(
            id=UUID(noted.id),
            kind=noted.kind,
            patient_id=UUID(noted.patient_id) if noted.patient_id else None,
            resource=noted.resource,
            reason=noted.reason,
            user_id=noted.user_id,
            begun_at=datetime.fromisoformat(noted.begun_at),
            before=noted.before,
            after=noted.after,
        )
        done = repeat(receipt, by=by)
        if done.finished_at is None:
            raise CommandError(f"the deletion of receipt {noted.id} is not finished")

    def _print(self, lines: list[Line], repeated: int, *, as_json: bool) -> None:
        if as_json:
            compared = [{"name": one.name, "backed_up": one.backed_up, "restored": one.restored} for one in lines]
            self.stdout.write(json.dumps({"compared": compared, "deletions_repeated": repeated}, indent=2))
            return
        for one in lines:
            self.stdout.write(f"{'same ' if one.equal else 'OTHER'}  {one.name:22} {one.backed_up} | {one.restored}")
        self.stdout.write(f"{repeated} deletions that came after the backup were repeated")


def _taken(port: int) -> bool:
    return listens(f"http://127.0.0.1:{port}")


def _patients() -> int:
    try:
        return Patient.objects.count()
    except Error:
        return 0


def _is_ours(folder: Path) -> bool:
    """Return whether a restore of this very backup has begun here."""
    marker = marker_of(config())
    return marker.exists() and marker.read_text().strip() == str(folder)
