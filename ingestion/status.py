"""The ledger in one look, for the API: jobs by state, counts, what is held, and whether it all adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Sum

from ingestion.conservation import conservation
from ingestion.models import IngestJob
from ingestion.selectors import held_summary

if TYPE_CHECKING:
    from datetime import datetime

_COUNTS: Final = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
_LISTED: Final = ("id", "feed", "state", *_COUNTS, "error", "created_at", "finished_at")


def ingest_status(now: datetime) -> dict[str, Any]:
    """Return "jobs" by state, "counts", "held" and "conservation"; no names and no words.

    Args:
        now: timezone-aware; ages of held items are in whole seconds.
    """
    states = dict.fromkeys(IngestJob.State.values, 0)
    rows = IngestJob.objects.order_by().values_list("state").annotate(jobs=Count("pk"))
    found = conservation(most_minutes=0).as_json()
    return {
        "jobs": states | dict(rows),
        "counts": IngestJob.objects.aggregate(**{name: Sum(name, default=0) for name in _COUNTS}),
        "held": held_summary(now=now),
        "conservation": {name: found[name] for name in ("holds", "total", "doors", "dismissed", "broken")},
    }


def newest_jobs(limit: int, before: int | None) -> list[dict[str, Any]]:
    """Return jobs with smaller ids than `before`, the newest first; without their names, which are people's words."""
    jobs = IngestJob.objects.all() if before is None else IngestJob.objects.filter(pk__lt=before)
    return list(jobs.order_by("-pk").values(*_LISTED)[:limit])
