"""When the same bytes are taken in again, the newest run says what of them is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.models import QuarantinedItem, Resolution, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.models import IngestJob


def resolve_earlier(job: IngestJob, *, now: datetime) -> None:
    """Close what earlier jobs over the same original held back: stored now, or held back by this job.

    Without this an item would be counted once for every time its file was sent.
    """
    for model in (QuarantinedItem, UnassignedItem):
        model.objects.filter(job__original_id=job.original_id, job_id__lt=job.pk, resolved_at=None).update(
            resolved_at=now, resolution=Resolution.SENT_AGAIN
        )
