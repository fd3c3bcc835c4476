"""Load the synthetic clinic: generated, then taken in by the same way as any other record."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.config import config
from appliance.demo_clinic import LOAD_ORDER, PDF_PROVENANCE, REFERENCE_DATE, build
from clinical.identity.services import find_by_fhir_id
from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from ingestion.domain.items import ParseContext
from ingestion.files import Report, take_in_files

if TYPE_CHECKING:
    from pathlib import Path

    from ingestion.models import IngestJob


class Command(BaseCommand):
    """`manage.py load_demo`."""

    help = "Generate the synthetic clinic and take it in; a second run changes nothing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Generate, take in and index."""
        if config().profile != "embedded":
            raise CommandError("the synthetic clinic is for the embedded profile only")
        folder = config().var / "clinic"
        build(folder, reference=REFERENCE_DATE)
        digest, marker = _digest_of(folder), config().var / "clinic-loaded"
        if marker.exists() and marker.read_text() == digest and find_by_fhir_id("amina-yusuf"):
            self.stdout.write("the clinic is loaded already")
            return
        report = Report()
        for name in LOAD_ORDER:  # one after the other, as they would have come in life
            report.add(self._take_in(folder / name, ParseContext()))
        report.add(self._take_in(folder / "guidelines_pdf", ParseContext(guideline=PDF_PROVENANCE)))
        self._index()
        if report.quarantined:
            raise CommandError(f"the clinic was not taken in whole: {json.dumps(report.quarantined[:5])}")
        marker.write_text(digest)
        self.stdout.write(
            f"clinic: received {report.received}, stored {report.stored}, unchanged {report.unchanged}, "
            f"superseded {report.superseded}, unassigned {report.unassigned}"
        )

    def _take_in(self, folder: Path, context: ParseContext) -> Report:
        return take_in_files(
            [folder],
            context=context,
            limits=settings.INGESTION_LIMITS,
            clock=timezone.now,
            progress=self._progress,
        )

    def _progress(self, number: int, files: int, job: IngestJob) -> None:
        if number % 10 == 0 or number == files:
            self.stderr.write(f"{number}/{files} files, last one {job.received} items")

    def _index(self) -> None:
        try:
            while apply_due(now=timezone.now()):
                self.stderr.write(f"index: {IndexChange.objects.count()} changes due")
        except BackendUnavailableError as error:
            self.stderr.write(f"the index waits ({error}); the workers will bring it up to date")


def _digest_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
