"""Ask the ledger whether everything that was received is accounted for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion.conservation import conservation

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ingestion.conservation import Minute


class Command(BaseCommand):
    """`manage.py conservation [--hours N] [--json]`; ends with 1 when something does not hold."""

    help = "received = applied + unchanged + superseded + unassigned + quarantined, per door and minute."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--hours", type=float, default=None, help="only what was received since (default: all)")
        parser.add_argument("--json", action="store_true", help="print as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the answer.

        Raises:
            CommandError: it does not hold; after the answer.
        """
        since = None if options["hours"] is None else timezone.now() - timedelta(hours=options["hours"])
        found = conservation(since=since)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2))
        else:
            for one in (*found.minutes, *found.doors, found.total):
                self.stdout.write(_plain(one))
            self.stdout.write(f"dismissed, among the unassigned and quarantined: {found.dismissed}")
        for job in found.broken:
            self.stderr.write(
                f"job {job.job} ({job.door}): received {job.received}, counted {job.counted}: {', '.join(job.faults)}"
            )
        if not found.holds:
            raise CommandError("the ledger does not hold", returncode=1)


def _plain(one: Minute) -> str:
    when = f"{one.minute:%Y-%m-%d %H:%M %Z}" if one.minute else "in all"
    unfinished = {"waiting": one.waiting, "running": one.running, "failed": one.failed}
    still = "".join(f", {count} {name}" for name, count in unfinished.items() if count)
    wrong = f"  DIFFERENCE {one.difference}" if one.difference else ""
    return (
        f"{when} {one.door or 'all doors'}: received {one.received} = applied {one.applied}"
        f" + unchanged {one.unchanged} + superseded {one.superseded} + unassigned {one.unassigned}"
        f" + quarantined {one.quarantined}; {one.jobs} jobs{still}{wrong}"
    )
