"""The queue of held items and the page of one: places, codes and times for all who may see it; words on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clinical.access.services import roles_of
from clinical.domain.access import Role
from clinical.identity.search_terms import search
from clinical.models import Patient
from clinical.selectors import PatientLine, patient_line, patient_list
from clinical.web.borders import is_fragment
from ingestion.held.excerpt import open_item
from ingestion.held.listing import TABLES, UNASSIGNED, Filter, NoSuchItemError, get, line_of, lines, reasons, together
from ingestion.held.policy import WHY_ASSIGN, WHY_DISMISS, WHY_UNDO, Act, Acting, DecisionError
from ingestion.models import Resolution, UnassignedItem
from ingestion.selectors import held_summary
from ingestion.web import wording

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    from ingestion.models import QuarantinedItem

A_PAGE: Final = 100
CANDIDATES: Final = 20
LONGEST_QUERY: Final = 200
_LONGEST_CODE: Final = 64


@require_safe
def held_list(request: HttpRequest) -> HttpResponse:
    """Show what waits, the oldest first, and by which reasons."""
    by = acting(request)
    by.check(Act.LIST)
    return list_page(request, by)


@require_safe
def held_item(request: HttpRequest, queue: str, number: int) -> HttpResponse:
    """Show one item and what the user may decide about it."""
    by = acting(request)
    by.check(Act.LIST)
    return item_page(request, by, item(queue, number))


@require_POST
def held_original(request: HttpRequest, queue: str, number: int) -> HttpResponse:
    """Open the item's words in its original; each look is on the trail."""
    by = acting(request)
    by.check(Act.LIST)
    row = item(queue, number)
    try:
        found: dict[str, Any] = {"excerpt": open_item(row, by=by)}
    except DecisionError as error:
        found = {"excerpt_error": wording.decision(error.reason)}
    if is_fragment(request):
        return render(request, "ingest/_original.html", found)
    return item_page(request, by, row, **found)


@require_POST
def held_find(request: HttpRequest, number: int) -> HttpResponse:
    """Find the patient to assign to: among the clinician's own, or all for the privacy officer; audited."""
    by = acting(request)
    by.check(Act.FIND)
    row = item(UNASSIGNED, number)
    query = request.POST.get("q", "")[:LONGEST_QUERY].strip()
    found = _candidates(by, query) if query else []
    by.note(Act.FIND, "SUCCESS", item=number, found=len(found))
    shown: dict[str, Any] = {"candidates": found, "query": query, "searched": True}
    if is_fragment(request):
        return render(request, "ingest/_candidates.html", shown | _decisions(by, row))
    return item_page(request, by, row, **shown)


def acting(request: HttpRequest) -> Acting:
    """Return who acts."""
    return Acting(cast("User", request.user), timezone.now)


def item(queue: str, number: int) -> QuarantinedItem | UnassignedItem:
    """Return an item; 404 where there is none."""
    try:
        return get(queue, number)
    except NoSuchItemError:
        raise Http404 from None


def list_page(request: HttpRequest, by: Acting, *, error: str = "", status: int = 200) -> HttpResponse:
    """Return the list as the address asks for it."""
    chosen = _filter(request)
    first = request.GET.get("first", "")
    start = min(int(first), 10**6) if first.isascii() and first.isdigit() else 0
    found, total = lines(chosen, limit=A_PAGE, first=start)
    summary = held_summary(now=by.clock())
    context = {
        "items": found,
        "total": total,
        "first": start + 1,
        "last": start + len(found),
        "earlier": max(0, start - A_PAGE) if start else None,
        "later": start + A_PAGE if start + len(found) < total else None,
        "chosen": chosen,
        "reasons": reasons(),
        "resolutions": [(code, wording.resolution(code)) for code in ("", *Resolution.values)],
        "summary": summary,
        "oldest_unassigned": wording.age(summary["oldest_unassigned_s"]),
        "oldest_quarantined": wording.age(summary["oldest_quarantined_s"]),
        "may_replay": by.may(Act.REPLAY),
        "error": error and wording.decision(error),
    }
    return render(request, "ingest/held.html", context, status=status)


def item_page(
    request: HttpRequest, by: Acting, row: QuarantinedItem | UnassignedItem, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Return the page of one item."""
    line = line_of(row)
    context = {
        "line": line,
        "state": wording.resolution(line.resolution),
        "feed": row.job.feed,
        "job_state": row.job.get_state_display(),
        "received_at": row.job.created_at,
        "age": wording.age(int((by.clock() - row.created_at).total_seconds())),
        "is_open": row.resolved_at is None,
        **_decisions(by, row),
    }
    return render(request, "ingest/item.html", context | more, status=status)


def _decisions(by: Acting, row: QuarantinedItem | UnassignedItem) -> dict[str, Any]:
    unassigned = isinstance(row, UnassignedItem)
    with_it = together(row) if isinstance(row, UnassignedItem) and row.resolved_at is None else {}
    return {
        "line": line_of(row),
        "may_open": by.may(Act.OPEN),
        "may_assign": unassigned and by.may(Act.ASSIGN),
        "may_replay": by.may(Act.REPLAY),
        "may_correct": not unassigned and by.may(Act.CORRECT),
        "may_dismiss": by.may(Act.DISMISS),
        "same_job": len(with_it.get("job", ())),
        "same_reference": len(with_it.get("reference", ())),
        "why_assign": wording.choices(WHY_ASSIGN),
        "why_undo": wording.choices(WHY_UNDO),
        "why_dismiss": wording.choices(WHY_DISMISS),
    }


def _candidates(by: Acting, query: str) -> list[PatientLine]:
    if Role.PRIVACY not in roles_of(by.user):
        return patient_list(by.user, query)[:CANDIDATES]
    ids = search(query, among=Patient.objects.values_list("id", flat=True))
    found = [patient_line(patient) for patient in Patient.objects.filter(id__in=ids)]
    return sorted(found, key=lambda line: (line.family, line.given, line.birth_date))[:CANDIDATES]


def _filter(request: HttpRequest) -> Filter:
    queue, reason = request.GET.get("queue", ""), request.GET.get("reason", "")[:_LONGEST_CODE]
    job, resolution = request.GET.get("job", ""), request.GET.get("state", "")
    return Filter(
        queue=queue if queue in TABLES else "",
        reason=reason,
        job=int(job[:18]) if job.isascii() and job.isdigit() else None,
        resolution=resolution if resolution in Resolution.values else "",
    )
