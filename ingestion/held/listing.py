"""The queue as it is listed: places, codes and times, no patient text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count

from ingestion.models import QuarantinedItem, Resolution, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

UNASSIGNED: Final = "unassigned"
QUARANTINED: Final = "quarantined"
TABLES: Final[dict[str, type[QuarantinedItem] | type[UnassignedItem]]] = {
    UNASSIGNED: UnassignedItem,
    QUARANTINED: QuarantinedItem,
}


class NoSuchItemError(LookupError):
    """No item of this queue has this number."""


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One held item. `what` is the resource type of an unassigned item, the element of a quarantined one."""

    id: int
    queue: str
    job: int
    feed: str
    position: str
    reason: str
    what: str
    at: datetime
    resolution: str
    resolved_by: str
    resolved_at: datetime | None
    why: str
    patient_id: UUID | None
    effect: str
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items: of a queue, for a reason, of a job, and how they left the queue ("" for those that wait)."""

    queue: str = ""
    reason: str = ""
    job: int | None = None
    resolution: str = ""


def rows_of(queue: str, chosen: Filter) -> QuerySet[QuarantinedItem] | QuerySet[UnassignedItem]:
    """Return the rows of one queue that the filter lets through, the oldest first."""
    rows = TABLES[queue].objects.filter(resolution=chosen.resolution)
    if not chosen.resolution:
        rows = rows.filter(resolved_at=None)
    if chosen.reason:
        rows = rows.filter(reason=chosen.reason)
    if chosen.job is not None:
        rows = rows.filter(job_id=chosen.job)
    return rows.order_by("created_at", "pk")


def lines(chosen: Filter, *, limit: int, first: int = 0) -> tuple[list[HeldLine], int]:
    """Return some of the items that the filter lets through, the oldest first, and how many there are in all."""
    queues = [chosen.queue] if chosen.queue in TABLES else list(TABLES)
    found: list[HeldLine] = []
    total = 0
    for queue in queues:
        rows = rows_of(queue, chosen)
        total += rows.count()
        found += [line_of(row) for row in rows.select_related("job").defer("job__name")[: first + limit]]
    found.sort(key=lambda line: (line.at, line.queue, line.id))
    return found[first : first + limit], total


def get(queue: str, number: int) -> QuarantinedItem | UnassignedItem:
    """Return an item with its job and original.

    Raises:
        NoSuchItemError: there is none.
    """
    table = TABLES.get(queue)
    row = None if table is None else table.objects.filter(pk=number).select_related("job__original").first()
    if row is None:
        raise NoSuchItemError
    return row


def line_of(row: QuarantinedItem | UnassignedItem) -> HeldLine:
    """Return what is listed of an item."""
    assigned = row if isinstance(row, UnassignedItem) else None
    refused = row if isinstance(row, QuarantinedItem) else None
    return HeldLine(
        id=row.pk,
        queue=UNASSIGNED if assigned else QUARANTINED,
        job=row.job_id,
        feed=row.job.feed,
        position=row.position or "whole file",
        reason=row.reason,
        what=row.resource_type if isinstance(row, UnassignedItem) else row.detail,
        at=row.created_at,
        resolution=row.resolution or (Resolution.SENT_AGAIN if row.resolved_at else ""),
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        why=row.why,
        patient_id=assigned.patient_id if assigned else None,
        effect=assigned.effect if assigned else "",
        replaced_by=refused.replaced_by_id if refused else None,
    )


def reasons() -> list[tuple[str, str, int]]:
    """Return (queue, reason, items) of what waits, the most frequent first."""
    found = [
        (queue, reason, count)
        for queue, table in TABLES.items()
        for reason, count in table.objects.filter(resolved_at=None)
        .values_list("reason")
        .annotate(count=Count("pk"))
        .values_list("reason", "count")
    ]
    return sorted(found, key=lambda one: (-one[2], one[0], one[1]))


def together(row: UnassignedItem) -> dict[str, list[int]]:
    """Return which unassigned items can be decided with this one: by job, and by the patient reference they carry."""
    waiting = UnassignedItem.objects.filter(resolved_at=None)
    same = waiting.filter(about=row.about) if row.about else waiting.filter(pk=row.pk)
    return {
        "item": [row.pk],
        "job": list(waiting.filter(job_id=row.job_id).values_list("pk", flat=True)),
        "reference": list(same.values_list("pk", flat=True)),
    }
