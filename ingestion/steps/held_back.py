"""When the same bytes are taken in again, the newest run says what of them is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.models import IngestJob, QuarantinedItem, Resolution, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime


def resolve_earlier(job: IngestJob, *, now: datetime) -> None:
    """Close what earlier jobs over the same original held back: stored now, or held back by this job.

    Without this an item would be counted once for every time its file was sent. A job that comes to its end after a
    later one over the same bytes (its worker was killed) closes its own: the later one has said what is held back.
    """
    later = IngestJob.objects.filter(original_id=job.original_id, pk__gt=job.pk, state=IngestJob.State.DONE).exists()
    for model in (QuarantinedItem, UnassignedItem):
        rows = model.objects.filter(job__original_id=job.original_id, resolved_at=None)
        rows = rows.filter(job_id__lte=job.pk) if later else rows.filter(job_id__lt=job.pk)
        rows.update(resolved_at=now, resolution=Resolution.SENT_AGAIN)
