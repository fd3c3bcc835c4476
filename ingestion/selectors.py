"""What is held back from the records, for every absence text and for the operator's page."""

from __future__ import annotations

from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem


def held_back() -> tuple[int, int]:
    """Return how many items are unassigned and how many are in quarantine, unresolved."""
    return (
        UnassignedItem.objects.filter(resolved_at=None).count(),
        QuarantinedItem.objects.filter(resolved_at=None).count(),
    )


def waiting() -> int:
    """Return how many received files and messages are not taken in to their end."""
    return IngestJob.objects.exclude(state=IngestJob.State.DONE).count()
