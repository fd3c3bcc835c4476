"""What people decide about held items; a refused decision comes back with its reason, a done one as the new state."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from clinical.identity.services import UnassignedError
from ingestion.held import assign as assigning
from ingestion.held import replay as replaying
from ingestion.held.listing import QUARANTINED, TABLES, UNASSIGNED, together
from ingestion.held.policy import Act, DecisionError
from ingestion.models import QuarantinedItem, UnassignedItem
from ingestion.web import wording
from ingestion.web.held import acting, item, item_page, list_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from ingestion.held.policy import Acting

_REFUSED = 409


@require_POST
def held_assign(request: HttpRequest, number: int) -> HttpResponse:
    """Assign the item, or all of its file or patient reference, to the patient chosen."""
    by = acting(request)
    by.check(Act.ASSIGN)
    row = item(UNASSIGNED, number)
    if not isinstance(row, UnassignedItem) or row.resolved_at is not None:
        return _refused(request, by, row, "decided-already")
    patient_id = _uuid(request.POST.get("patient", ""))
    if patient_id is None:
        return _refused(request, by, row, "no-patient-chosen")
    chosen = together(row).get(request.POST.get("scope", "item"), [row.pk])
    try:
        done = assigning.assign(chosen, patient_id, why=request.POST.get("why", ""), by=by)
    except DecisionError as error:
        return _refused(request, by, row, error.reason)
    refused = [one for one in done if one.refused]
    if refused:
        row = item(UNASSIGNED, number)
        said = f"{len(done) - len(refused)} of {len(done)} items are assigned. {wording.decision(refused[0].refused)}"
        return item_page(request, by, row, status=_REFUSED, error=said)
    return redirect("held-item", UNASSIGNED, number)


@require_POST
def held_undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take a wrongly assigned item out of the record again."""
    by = acting(request)
    by.check(Act.UNDO)
    row = item(UNASSIGNED, number)
    try:
        assigning.undo(number, why=request.POST.get("why", ""), by=by)
    except (DecisionError, UnassignedError) as error:
        return _refused(request, by, row, error.reason)
    return redirect("held-item", UNASSIGNED, number)


@require_POST
def held_dismiss(request: HttpRequest, queue: str, number: int) -> HttpResponse:
    """Leave an item out for good, or let a dismissed one wait again."""
    by = acting(request)
    by.check(Act.DISMISS)
    row = item(queue, number)
    table = TABLES[queue]
    try:
        if request.POST.get("back"):
            replaying.take_back(table, number, by=by)
        elif not replaying.dismiss(table, [number], why=request.POST.get("why", ""), by=by):
            return _refused(request, by, row, "decided-already")
    except DecisionError as error:
        return _refused(request, by, row, error.reason)
    return redirect("held-item", queue, number)


@require_POST
def held_correct(request: HttpRequest, number: int) -> HttpResponse:
    """Take in a corrected text in place of a quarantined item."""
    by = acting(request)
    by.check(Act.CORRECT)
    row = item(QUARANTINED, number)
    try:
        job = replaying.correct(number, request.POST.get("text", "").encode(), by=by)
    except DecisionError as error:
        return _refused(request, by, row, error.reason)
    replaying.wake([job])
    return redirect("held-item", QUARANTINED, number)


@require_POST
def held_replay(request: HttpRequest) -> HttpResponse:
    """Take the originals of one item, of all held back for one reason, or of all, in again."""
    by = acting(request)
    by.check(Act.REPLAY)
    queue, reason, number = (request.POST.get(name, "") for name in ("queue", "reason", "item"))
    quarantined = QuarantinedItem.objects.filter(resolved_at=None)
    unassigned = UnassignedItem.objects.filter(resolved_at=None)
    if reason:
        quarantined, unassigned = quarantined.filter(reason=reason), unassigned.filter(reason=reason)
    if number:
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
        quarantined, unassigned = quarantined.filter(pk=wanted), unassigned.filter(pk=wanted)
    jobs = replaying.replay(
        quarantined if queue != UNASSIGNED else quarantined.none(),
        unassigned if queue != QUARANTINED else unassigned.none(),
        by=by,
    )
    if not jobs:
        return list_page(request, by, error="already-replaying", status=_REFUSED)
    replaying.wake(jobs)
    return redirect("ingest")


def _refused(request: HttpRequest, by: Acting, row: QuarantinedItem | UnassignedItem, reason: str) -> HttpResponse:
    return item_page(request, by, row, status=_REFUSED, error=wording.decision(reason))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
