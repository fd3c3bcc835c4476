"""Register, list and remove the machine clients of the FHIR door."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ingestion.webhook.clients import NAME, ClientRow, ClientsFileError, rows_of, token_digest

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py fhir_client --name X [--server URL] [--remove]`, or without a name the list."""

    help = "Register a machine client of the FHIR door; its token is printed once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--name", default="", help="letters, digits, . _ -; the feed is then fhir:NAME")
        parser.add_argument("--server", default="", help="base URL its resources belong to where no fullUrl names one")
        parser.add_argument("--also", action="append", default=[], metavar="URL", help="another server it speaks for")
        parser.add_argument("--remove", action="store_true", help="remove the client; its token is void at once")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Change the file, or list it.

        Raises:
            CommandError: a bad or taken name, or a damaged file.
        """
        path = Path(settings.INGESTION_FHIR_CLIENTS)
        try:
            rows = rows_of(path)
        except ClientsFileError as error:
            raise CommandError(str(error)) from None
        name = options["name"]
        if not name:
            for row in rows:
                self.stdout.write(f"{row.name}  {row.server or '(files that name no server)'}")
            return
        if not NAME.fullmatch(name):
            raise CommandError("a name has 1 to 40 letters, digits, dots, dashes or underscores")
        others = [row for row in rows if row.name != name]
        if options["remove"]:
            if len(others) == len(rows):
                raise CommandError(f"no client is named {name}")
            _write(path, others)
            self.stdout.write(f"{name} is removed")
            return
        if len(others) < len(rows):
            raise CommandError(f"{name} is registered already; remove it first")
        token = secrets.token_urlsafe(32)
        row = ClientRow(name, token_digest(token), options["server"].rstrip("/"), options["also"])
        _write(path, [*others, row])
        self.stdout.write(token)
        listed = settings.CLINICAL_KNOWN_AUTHORITIES
        if listed is not None and row.server not in {one.rstrip("/") for one in listed}:
            self.stderr.write("its server is not among the known authorities: what it sends will wait unassigned")


def _write(path: Path, rows: list[ClientRow]) -> None:
    """Replace the file as a whole, readable by its owner and, for backups, his group only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".fhir-clients-")
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o640)
        file.write(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
