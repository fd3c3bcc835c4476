"""The ward page: the user's patients with their newest NEWS2, and the part of it that the page asks for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.ward import ward_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

NOTHING_NEW: Final = 204
_SHOWN: Final = "ward"  # in the session: ids and counts of what was shown, so that the trail has each once


@require_safe
def ward(request: HttpRequest) -> HttpResponse:
    """Show the ward."""
    return _answer(request, "", "ward/page.html")


@require_safe
def ward_rows(request: HttpRequest) -> HttpResponse:
    """Return the rows when something changed since the state the page holds; nothing otherwise."""
    return _answer(request, request.GET.get("since", ""), "ward/_rows.html")


def _answer(request: HttpRequest, since: str, template: str) -> HttpResponse:
    user, before = cast("User", request.user), request.session.get(_SHOWN, {}) if since else {}
    shown = ward_of(user, since=since, shown=before, now=timezone.now())
    if shown is None:
        return HttpResponse(status=NOTHING_NEW)
    request.session[_SHOWN] = dict(shown.stamps)
    return render(request, template, {"ward": shown})
