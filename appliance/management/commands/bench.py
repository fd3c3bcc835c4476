"""Print the figures as a table, and as JSON in var/bench.json."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand

from appliance.config import config

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from appliance.bench.row import Row

# In this order: the short ones first, so that an engineer sees something soon.
GROUPS: Final = (
    "fhir_read",
    "medication_check",
    "retrieval",
    "index_ingest",
    "record_ingest",
    "cds_hooks",
    "cds_hooks_busy",
    "mllp",
    "fhir_door",
    "vitals_to_card",
    "follows",
    "web_memory",
    "first_sentence",
    "lookups",
)


class Command(BaseCommand):
    """`manage.py bench [GROUP ...]`."""

    help = "Measure; every figure is compared with something measured in the same run."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default all")
        parser.add_argument("--json", action="store_true", help="print JSON instead of the table")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the groups one after the other, with progress."""
        rows: list[Row] = []
        for group in options["groups"] or GROUPS:
            self.stderr.write(f"measuring {group} ...")
            rows += importlib.import_module(f"appliance.bench.{group}").run()
        result = {"machine": f"{os.cpu_count()} cores", "rows": [asdict(row) for row in rows]}
        path = config().var / "bench.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n")
        self.stdout.write(json.dumps(result, indent=2) if options["json"] else _table(rows))


def _table(rows: list[Row]) -> str:
    """Return the rows as Markdown, as the README shows them."""
    lines = ["| figure | value | compared with | ratio | target |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        baseline = "" if row.baseline is None else f"{_digits(row.baseline)} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.name} | {_digits(row.value)} {row.unit} | {baseline} | {ratio} | {row.target} |")
    return "\n".join(lines)


def _digits(value: float) -> str:
    """Return a figure with at most four digits that mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
