"""The share of orders whose every ingredient the medication tables know: the demo clinic's, and FHIR files'.

All rows count, approved or not: it is the table's reach that is measured.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from appliance.demo_clinic.bundles import record
from appliance.demo_clinic.tables import people
from clinical.domain.medication_safety.coverage import Coverage, coverage
from clinical.domain.projection import project
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.provenance import DEMO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py drug_coverage [--json] [PATH...]`."""

    help = "Print the share of orders that the medication tables cover, and the names they do not know."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="FHIR JSON or NDJSON files, or folders of them")
        parser.add_argument("--json", action="store_true", help="print JSON instead of lines")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print a line for the demo clinic and one for each path."""
        clinic = [resource for person in people() for resource in record(person)]
        found = {"demo clinic": coverage(_orders(clinic), trust=DEMO)}
        for name in options["paths"]:
            path = Path(name)
            if not path.exists():
                raise CommandError(f"no such file or folder: {name}")
            found[name] = coverage(_orders(_resources(path)), trust=DEMO)
        if options["json"]:
            self.stdout.write(json.dumps({name: _json(held) for name, held in found.items()}, indent=2))
            return
        for name, held in found.items():
            self.stdout.write(f"{name}: {held.known} of {held.orders} orders ({held.share:.1%})")
            for unknown, times in held.unknown:
                self.stdout.write(f"  not known: {unknown} ({times})")


def _json(held: Coverage) -> dict[str, Any]:
    return {"orders": held.orders, "known": held.known, "share": round(held.share, 4), "unknown": dict(held.unknown)}


def _orders(resources: Iterable[dict[str, Any]]) -> list[MedicationRow]:
    """Return the medication rows; a drug that is only referred to is looked up among the resources."""
    held = list(resources)
    related = {f"{one.get('resourceType')}/{one.get('id')}": one for one in held}
    related |= {one["fullUrl"]: one for one in held if "fullUrl" in one}
    return [
        row
        for one in held
        if str(one.get("resourceType", "")) in ("MedicationRequest", "MedicationStatement")
        for row in project(one, related)
        if isinstance(row, MedicationRow)
    ]


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the resources of a file or folder; what is no FHIR JSON is passed over."""
    files = sorted(one for one in path.rglob("*") if one.suffix in (".json", ".ndjson")) if path.is_dir() else [path]
    for file in files:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        for part in text.splitlines() if file.suffix == ".ndjson" else [text]:
            try:
                document = json.loads(part)
            except ValueError:
                continue
            if isinstance(document, dict):
                yield from _inside(document)


def _inside(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    entries = document.get("entry") if document.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list):
        yield document
        return
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield {**resource, "fullUrl": entry.get("fullUrl", "")}
