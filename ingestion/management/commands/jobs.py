"""List received files and messages that were given up for now, and have them tried again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clinical.ports import backends
from ingestion import pipeline
from ingestion.models import IngestJob
from ingestion.receive import DRAIN_TASK

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py jobs list|retry`."""

    help = "Jobs that were given up after too many attempts; the sweeper retries each by itself, with growing pauses."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["list", "retry"])

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it."""
        if options["action"] == "list":
            failed = IngestJob.objects.filter(state=IngestJob.State.FAILED)
            for job in failed.defer("name").order_by("pk"):
                since = f"{timezone.localtime(job.finished_at):%d-%b-%Y %H:%M}" if job.finished_at else "unknown"
                self.stdout.write(
                    f"job {job.pk} ({job.feed}): {job.attempts - 1} attempts, {job.error}, given up at {since}"
                )
            self.stdout.write(f"{failed.count()} jobs are given up for now")
            return
        again = pipeline.reopen(now=timezone.now(), at_once=True)
        if again:
            backends().wake(DRAIN_TASK, 0)
        self.stdout.write(f"{len(again)} jobs are tried again")
