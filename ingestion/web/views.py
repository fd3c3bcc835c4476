"""What came in and where it went. No patient text: counts, reason codes, positions and ids only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.selectors import feeds
from ingestion.models import IngestJob, QuarantinedItem, Reconciliation, UnassignedItem
from ingestion.selectors import held_summary
from ingestion.web import wording

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

NEWEST: Final = 50
_COUNTS: Final = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
_OPEN: Final = (IngestJob.State.RECEIVED, IngestJob.State.RUNNING)


@require_safe
def ingest(request: HttpRequest) -> HttpResponse:
    """Show the ledger: each job with its counts, and what was held back with reason and position."""
    operators_only(request)
    return render(request, "ingest/page.html", _ledger())


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """Return the ledger when it has changed since `seen`, else 204; the browser asks every two seconds."""
    operators_only(request)
    ledger = _ledger()
    if request.GET.get("seen") == ledger["state"]:
        return HttpResponse(status=204)
    return render(request, "ingest/_ledger.html", ledger)


def operators_only(request: HttpRequest) -> None:
    """Refuse all others.

    Raises:
        AccessDeniedError: `no-operator-role`; audited.
    """
    user = cast("User", request.user)
    if Role.OPERATOR not in roles_of(user):
        denied = trail.Entry(action="ingest.view", outcome="DENIED", user_id=user.get_username())
        trail.append(denied, now=timezone.now())
        raise AccessDeniedError("no-operator-role")


def _ledger() -> dict[str, Any]:
    totals = IngestJob.objects.aggregate(**{name: Sum(name, default=0) for name in (*_COUNTS, "cursor")})
    quarantined = QuarantinedItem.objects.filter(resolved_at=None).order_by("-id")
    unassigned = UnassignedItem.objects.filter(resolved_at=None).order_by("-id")
    open_jobs = IngestJob.objects.filter(state__in=_OPEN).count()
    last_said = feeds()
    held = held_summary(now=timezone.now())
    reconciled = Reconciliation.objects.order_by("-made_at", "-pk").first()
    moved = (
        reconciled and reconciled.pk,
        IngestJob.objects.count(),
        open_jobs,
        totals,
        quarantined.count(),
        unassigned.count(),
        last_said,
    )
    return {
        "jobs": IngestJob.objects.defer("name").order_by("-id")[:NEWEST],
        "open_jobs": open_jobs,
        "totals": totals,
        "quarantined": quarantined[:NEWEST],
        "unassigned": unassigned[:NEWEST],
        "feeds": last_said,
        "oldest_quarantined": wording.age(held["oldest_quarantined_s"]),
        "oldest_unassigned": wording.age(held["oldest_unassigned_s"]),
        "reconciled": reconciled,
        "state": hashlib.sha256(repr(moved).encode()).hexdigest()[:16],
    }
