"""Compare the record with the index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from clinical.record.index_check import compare, mend

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py verify_index [--mend]`."""

    help = "Compare SQL with the vectors: missing, orphaned, stale."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--mend", action="store_true", help="bring the index up to the record")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Compare, mend if asked, print."""
        try:
            found = compare()
            if options["mend"] and mend(found, now=timezone.now()):
                while apply_due(now=timezone.now()):
                    pass
                found = compare()
        except BackendUnavailableError as error:
            raise CommandError(f"the vector service did not answer ({error})") from None
        counts = {
            "missing": len(found.missing),
            "orphaned": len(found.orphaned),
            "stale": len(found.stale),
            "due": found.due,
        }
        self.stdout.write(
            json.dumps(counts) if options["json"] else ", ".join(f"{n} {name}" for name, n in counts.items())
        )
        if not found.equal:
            raise CommandError("record and index differ: manage.py verify_index --mend")
