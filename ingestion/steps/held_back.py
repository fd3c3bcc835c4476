"""When the same bytes are taken in again, the newest run says what of them is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.models import IngestJob, QuarantinedItem, Resolution, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime

_BY_A_PERSON: Final = frozenset({Resolution.REPLACED, Resolution.DISMISSED})


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
        _carry_on(model, job, now=now)


def _carry_on(model: type[QuarantinedItem | UnassignedItem], job: IngestJob, *, now: datetime) -> None:
    """Give what this job holds back the age of the same item held before, and a person's decision on it.

    Otherwise an item would be new again each time its bytes come, its alarm would never ring, and what was corrected or
    dismissed would come back when another item of the same file is taken in again.
    """
    held: list[Any] = list(model.objects.filter(job=job, resolved_at=None))
    if not held:
        return
    former: dict[tuple[int, str], Any] = {}
    earlier: Any = model.objects.filter(job__original_id=job.original_id, job_id__lt=job.pk)
    for row in earlier.order_by("job_id"):
        former[row.ordinal, row.reason] = row  # the last says what was decided; each carries the first's age
    for row in held:
        before = former.get((row.ordinal, row.reason))
        if before is None:
            continue
        row.created_at = min(before.created_at, row.created_at)
        if before.resolution in _BY_A_PERSON:
            row.resolved_at, row.resolution = now, before.resolution
            row.resolved_by, row.why = before.resolved_by, before.why
            if isinstance(row, QuarantinedItem):
                row.replaced_by = before.replaced_by
        row.save()
