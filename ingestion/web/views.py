"""What came in and where it went. No patient text: counts, reason codes, positions and ids only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.selectors import feeds
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

NEWEST: Final = 50
_OPEN: Final = (IngestJob.State.RECEIVED, IngestJob.State.RUNNING)


@require_safe
def ingest(request: HttpRequest) -> HttpResponse:
    """Show the ledger: each job with its counts, and what was held back with reason and position."""
    _operators_only(request)
    return render(request, "ingest/page.html", _ledger())


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """Return the part of the page that the browser asks for every two seconds."""
    _operators_only(request)
    return render(request, "ingest/_ledger.html", _ledger())


def _operators_only(request: HttpRequest) -> None:
    user = cast("User", request.user)
    if Role.OPERATOR not in roles_of(user):
        denied = trail.Entry(action="ingest.view", outcome="DENIED", user_id=user.get_username())
        trail.append(denied, now=timezone.now())
        raise AccessDeniedError("no-operator-role")


def _ledger() -> dict[str, Any]:
    jobs = list(IngestJob.objects.select_related("original").defer("name").order_by("-id")[:NEWEST])
    return {
        "jobs": jobs,
        "open_jobs": IngestJob.objects.filter(state__in=_OPEN).count(),
        "quarantined": QuarantinedItem.objects.filter(resolved_at=None).order_by("-id")[:NEWEST],
        "unassigned": UnassignedItem.objects.filter(resolved_at=None).order_by("-id")[:NEWEST],
        "feeds": feeds(),
        "checked_at": timezone.now(),
    }
