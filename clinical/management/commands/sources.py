"""Count the rows of every clinical table by how far they can be relied on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from clinical.domain.provenance import SourceStatus
from clinical.knowledge.approvals import counts, trust

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py sources [--json]`."""

    help = "Count the rows of every clinical table: checked, from memory, approved."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print JSON instead of the table")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the counts, with those of all tables last."""
        found = counts()
        words = [status.value for status in SourceStatus]
        rows = {name: {word: held[word] for word in words} for name, held in found.items()}
        total = {word: sum(row[word] for row in rows.values()) for word in words}
        if options["json"]:
            self.stdout.write(json.dumps({"site": trust().site, "tables": rows, "total": total}, indent=2))
            return
        self.stdout.write(f"| table | {' | '.join(words)} |\n| --- | {' | '.join('---:' for _ in words)} |")
        for name, row in {**rows, "all": total}.items():
            self.stdout.write(f"| {name} | {' | '.join(str(row[word]) for word in words)} |")
