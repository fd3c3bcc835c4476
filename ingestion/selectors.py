"""What is held back from the records, for every absence text, the health page and the operator's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Min

from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime


def held_back() -> tuple[int, int]:
    """Return how many items are unassigned and how many are in quarantine, unresolved."""
    return (
        UnassignedItem.objects.filter(resolved_at=None).count(),
        QuarantinedItem.objects.filter(resolved_at=None).count(),
    )


def waiting() -> int:
    """Return how many received files and messages are not taken in to their end."""
    return IngestJob.objects.exclude(state=IngestJob.State.DONE).count()


def held_summary(*, now: datetime) -> dict[str, int | None]:
    """Return how many items wait for a person, and how long the oldest has waited; None where none does.

    Args:
        now: timezone-aware.

    Returns:
        "unassigned", "quarantined", and "oldest_unassigned_s" and "oldest_quarantined_s" in whole seconds.
    """
    found: dict[str, int | None] = {}
    for name, table in (("unassigned", UnassignedItem), ("quarantined", QuarantinedItem)):
        rows = table.objects.filter(resolved_at=None).aggregate(count=Count("pk"), oldest=Min("created_at"))
        found[name] = rows["count"]
        found[f"oldest_{name}_s"] = None if rows["oldest"] is None else int((now - rows["oldest"]).total_seconds())
    return found
