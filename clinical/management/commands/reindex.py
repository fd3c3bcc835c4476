"""Rebuild the index from the record."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from clinical.record.index_check import compare, mend, note_everything


class Command(BaseCommand):
    """`manage.py reindex`."""

    help = "Write every passage to the index again and remove what the record does not hold."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rebuild with progress."""
        now = timezone.now()
        try:
            mend(compare(), now=now)
            total = note_everything(now=now)
            while apply_due(now=timezone.now()):
                self.stderr.write(f"{IndexChange.objects.count()} changes due")
        except BackendUnavailableError as error:
            raise CommandError(f"the vector service did not answer ({error})") from None
        self.stdout.write(f"{total} passages written")
