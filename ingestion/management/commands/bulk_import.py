"""Take in a FHIR Bulk Data export from a folder, or from the site's EHR: resources, then deletions; errors are told."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.module_loading import import_string

from clinical.ports import BackendUnavailableError
from ingestion.domain.fhir_door.manifest import ManifestError, read_manifest
from ingestion.domain.items import ParseContext
from ingestion.files import COUNTS, Report, take_in_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

    from ingestion.domain.fhir_door.manifest import ExportFile, Manifest

MANIFEST: Final = "manifest.json"
_LARGEST_MANIFEST: Final = 16 * 2**20
_CHUNK: Final = 1 << 20


class Ehr(Protocol):
    """A FHIR server of the site whose export may be fetched."""

    def download(self, url: str, file: BinaryIO, *, most_bytes: int) -> None:
        """Write a file of the export; see `appliance.backends.ehr`."""


class Command(BaseCommand):
    """`manage.py bulk_import FOLDER [--manifest FILE] [--server URL]`, or a manifest's URL in place of the folder."""

    help = "Take in the files that a Bulk Data manifest names; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", help="folder of the export, or the URL of its manifest on a registered EHR")
        parser.add_argument("--manifest", default=MANIFEST, help=f"name of the manifest in the folder; {MANIFEST}")
        parser.add_argument("--server", default="", help="base URL of the exporting server, whose resources these are")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Take in, then print the counts and what differs from the manifest.

        Raises:
            CommandError: no usable manifest; or, after the counts, a file is missing or holds another number
                of lines than announced; or the URL is not of an EHR registered here.
        """
        place: str = options["folder"]
        if "://" not in place:
            self._handle(Path(place), _manifest(Path(place) / options["manifest"]), options)
            return
        # Nobody but this process may look; it is gone when the originals are kept, encrypted.
        with TemporaryDirectory(prefix="bulk-") as folder:
            self._handle(Path(folder), _fetched(place, options["server"].rstrip("/"), Path(folder)), options)

    def _handle(self, folder: Path, manifest: Manifest, options: dict[str, Any]) -> None:
        differences = [
            told for one in (*manifest.output, *manifest.deleted, *manifest.error) if (told := _compared(folder, one))
        ]
        context = ParseContext(server=options["server"].rstrip("/"))
        report = self._take(folder, manifest.output, context)
        report.add(self._take(folder, manifest.deleted, context))
        errors = sum(_lines(folder / one.name) for one in manifest.error if (folder / one.name).is_file())
        result = report.as_json() | {"at": manifest.at, "export_errors": errors, "differences": differences}
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            counts = ", ".join(f"{name} {result[name]}" for name in COUNTS)
            self.stdout.write(f"{counts}, quarantined {len(report.quarantined)}, export errors {errors}")
            for one in report.quarantined:
                self.stdout.write(f"  {one['source']} {one['position']}: {one['reason']} {one['detail']}".rstrip())
        if differences:
            raise CommandError("not as the manifest says: " + "; ".join(differences))

    def _take(self, folder: Path, files: Sequence[ExportFile], context: ParseContext) -> Report:
        paths = [folder / one.name for one in files if (folder / one.name).is_file()]
        return take_in_files(
            paths,
            context=context,
            limits=settings.INGESTION_LIMITS,
            clock=timezone.now,
            progress=lambda number, of, _job: self.stderr.write(f"{number} of {of} files"),
        )


def _fetched(url: str, server: str, folder: Path) -> Manifest:
    """Fetch an export into a folder through the on-site client, and return its manifest with the names there.

    Raises:
        CommandError: no EHR of this base URL is registered, it does not answer, or the manifest cannot be used.
    """
    try:
        ehr: Ehr | None = import_string(settings.INGESTION_EHR)(server) if server else None
        if ehr is None:
            raise CommandError("--server names no EHR that is registered here; nothing was fetched")
        with (folder / MANIFEST).open("wb") as file:
            ehr.download(url, file, most_bytes=_LARGEST_MANIFEST)
        manifest = _manifest(folder / MANIFEST, in_folder=False)
        output, deleted, error = (
            tuple(_named(one, f"{group}{number:05d}") for number, one in enumerate(files))
            for group, files in enumerate((manifest.output, manifest.deleted, manifest.error))
        )
        for one in (*output, *deleted, *error):
            with (folder / one.name).open("wb") as file, suppress(LookupError):
                ehr.download(one.url, file, most_bytes=settings.INGESTION_LIMITS[1])
                continue
            (folder / one.name).unlink()  # not there: told as missing, after the rest is in
    except LookupError:
        raise CommandError("there is no manifest at this URL") from None
    except BackendUnavailableError as fault:
        raise CommandError(f"the export cannot be fetched ({fault})") from None
    return replace(manifest, output=output, deleted=deleted, error=error)


def _named(one: ExportFile, number: str) -> ExportFile:
    """Return a file under a name of its own: two URLs may end alike. Patients come first by it."""
    kind = one.type if one.type.isalpha() else "file"
    return replace(one, name=f"{kind}.{number}-{one.name}"[:200])


def _manifest(path: Path, *, in_folder: bool = True) -> Manifest:
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise CommandError("the manifest is too large to be one")
        return read_manifest(path.read_bytes(), in_folder=in_folder)
    except OSError as error:
        raise CommandError(f"the manifest cannot be read ({type(error).__name__})") from None
    except ManifestError as error:
        raise CommandError(f"the manifest cannot be used ({error})") from None


def _compared(folder: Path, one: ExportFile) -> str:
    """Return how a file differs from its announcement, "" where it does not."""
    path = folder / one.name
    if not path.is_file():
        return f"{one.name} is missing"
    if one.count is None:
        return ""
    lines = _lines(path)
    return "" if lines == one.count else f"{one.name} holds {lines} lines, {one.count} announced"


def _lines(path: Path) -> int:
    """Count the lines that hold something, in constant memory."""
    count, pending = 0, False
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            *whole, rest = chunk.split(b"\n")
            for piece in whole:
                count += pending or bool(piece.strip())
                pending = False
            pending = pending or bool(rest.strip())
    return count + pending
