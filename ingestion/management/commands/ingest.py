"""Take files and folders in; the format is found by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from ingestion.domain.items import ParseContext
from ingestion.files import COUNTS, Report, take_in_files

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ingestion.models import IngestJob

PROVENANCE = ("title", "edition", "source", "approver", "jurisdiction", "expires")


class Command(BaseCommand):
    """`manage.py ingest PATH... [--wait]`."""

    help = "Take in FHIR Bundles, resources, Bulk Data ndjson, notes and guideline documents."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--wait", action="store_true", help="return when the index is up to date too")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")
        parser.add_argument("--patient", default="", help="FHIR Patient.id of notes that name nobody")
        parser.add_argument("--guideline", action="store_true", help="the files are guideline documents")
        for name in PROVENANCE:
            parser.add_argument(f"--{name}", default="", help=f"{name} of the guideline documents")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Take in, then print the counts.

        Raises:
            CommandError: a path does not exist, a file could not be read (after the counts), or the
                record cannot be written.
        """
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"no such file or folder: {path}")
        try:
            report = self._take_in(options)
            if options["wait"]:
                self._index()
        except KeyboardInterrupt:
            raise CommandError("stopped; what was received stays due", returncode=130) from None
        except (Error, OSError) as error:
            fault = type(error).__name__
            raise CommandError(f"the record cannot be written ({fault}); what was received stays due") from None
        except InvalidTag:
            raise CommandError("the master key is not the one of this record, or stored bytes were altered") from None
        result = report.as_json()
        self.stdout.write(json.dumps(result, indent=2) if options["json"] else self._plain(report))
        if not report.received:
            self.stderr.write("there was no file to take in")
        if report.unreadable:
            raise CommandError(f"{report.unreadable} files could not be read; they are among the quarantined")

    def _take_in(self, options: dict[str, Any]) -> Report:
        patient = options["patient"].removeprefix("Patient/")
        guideline = {name: options[name] for name in PROVENANCE if options[name]}
        return take_in_files(
            options["paths"],
            context=ParseContext(
                patient_reference=f"Patient/{patient}" if patient else "",
                guideline=guideline if options["guideline"] else None,
            ),
            limits=settings.INGESTION_LIMITS,
            clock=timezone.now,
            progress=self._progress,
        )

    def _progress(self, number: int, files: int, job: IngestJob) -> None:
        self.stderr.write(f"{number}/{files} files; this one: {job.received} items")

    def _index(self) -> None:
        try:
            while apply_due(now=timezone.now()):
                self.stderr.write(f"index: {IndexChange.objects.count()} changes due")
        except BackendUnavailableError as error:
            self.stderr.write(f"the index waits ({error}); the workers will bring it up to date")

    def _plain(self, report: Report) -> str:
        sum_of = {name: getattr(report, name) for name in COUNTS[1:]} | {"quarantined": len(report.quarantined)}
        lines = [f"received {report.received} = " + " + ".join(f"{name} {n}" for name, n in sum_of.items())]
        if report.received and report.received == report.unchanged:
            lines.append("Nothing has changed.")
        lines += [
            f"quarantined: {item['source']} {item['position']}: {item['reason']} {item['detail']}".rstrip()
            for item in report.quarantined
        ]
        return "\n".join(lines)
