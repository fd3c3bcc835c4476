"""Two pages of counts: whether the ledger holds, and what the sending system has that is not held here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.shortcuts import render
from django.views.decorators.http import require_safe

from ingestion.conservation import conservation
from ingestion.models import IngestJob, Reconciliation
from ingestion.web.views import operators_only

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MINUTES: Final = 120
RESULTS: Final = 20
DIFFERENCES: Final = 200


@require_safe
def conservation_page(request: HttpRequest) -> HttpResponse:
    """Show the equation for the newest minutes, each door and the whole."""
    operators_only(request)
    found = conservation(most_minutes=MINUTES)
    return render(request, "ingest/conservation.html", {"found": found, "holds": found.holds, "minutes_shown": MINUTES})


@require_safe
def reconciliation_page(request: HttpRequest) -> HttpResponse:
    """Show the kept comparisons with the sending system, the newest with its differences."""
    operators_only(request)
    results = list(Reconciliation.objects.order_by("-made_at", "-pk")[:RESULTS])
    newest = results[0] if results else None
    return render(
        request,
        "ingest/reconciliation.html",
        {
            "results": results,
            "newest": newest,
            "differences": [] if newest is None else newest.differences[:DIFFERENCES],
            "more": 0 if newest is None else max(0, len(newest.differences) - DIFFERENCES),
            "jobs_open": IngestJob.objects.exclude(state=IngestJob.State.DONE).count(),
        },
    )
