"""One page for the person who looks after the box: which feeds are silent, what is missing, what waits for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ingestion.alarms import Alarm, alarms
from ingestion.conservation import conservation
from ingestion.domain.rhythm import may_be_silent_for
from ingestion.models import FeedRhythm, IngestJob
from ingestion.selectors import held_summary
from ingestion.subscriptions.watch import watched
from ingestion.web import wording
from ingestion.web.views import operators_only

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse


@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Show the alarms of this moment, and what they rest on."""
    operators_only(request)
    now = timezone.now()
    found, held = alarms(now=now), held_summary(now=now)
    context = {
        "alarms": [{"words": one.words, "count": one.count, "age": wording.age(one.for_s)} for one in found],
        "feeds": _feeds(found, now),
        "subscriptions": watched(now=now),
        "held": held,
        "oldest_unassigned": wording.age(held["oldest_unassigned_s"]),
        "oldest_quarantined": wording.age(held["oldest_quarantined_s"]),
        "failed": IngestJob.objects.filter(state=IngestJob.State.FAILED).count(),
        "holds": conservation(most_minutes=0).holds,
    }
    return render(request, "ingest/health.html", context)


def _feeds(found: list[Alarm], now: datetime) -> list[dict[str, Any]]:
    silent = {one.about for one in found if one.code == "feed-silent"}
    return [
        {
            "name": row.feed,
            "heard_at": row.heard_at,
            "since": wording.age(int((now - row.heard_at).total_seconds())),
            "usual": wording.age(int(may_be_silent_for(row.gaps))),
            "is_silent": row.feed in silent,
        }
        for row in FeedRhythm.objects.order_by("feed")
    ]
