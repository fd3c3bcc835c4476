"""The ward page: the user's patients with their newest NEWS2, and the part of it that the page asks for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.record.news import wait_for
from clinical.ward import ward_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from clinical.ward import Ward

NOTHING_NEW: Final = 204
LONGEST_WAIT_S: Final = 10.0
_SHOWN: Final = "ward"  # in the session: ids and counts of what was shown, so that the trail has each once


@require_safe
def ward(request: HttpRequest) -> HttpResponse:
    """Show the ward."""
    return _answer(request, "", "ward/page.html")


@require_safe
def ward_rows(request: HttpRequest) -> HttpResponse:
    """Return the rows when something changed since the state the page holds; nothing otherwise.

    With `wait` the reply is held back until there is something, for ten seconds at most: an open page shows a vital
    sign when it is in the record, not when it happens to ask.
    """
    wait_s = LONGEST_WAIT_S if "wait" in request.GET else 0.0
    return _answer(request, request.GET.get("since", ""), "ward/_rows.html", wait_s=wait_s)


def _answer(request: HttpRequest, since: str, template: str, *, wait_s: float = 0.0) -> HttpResponse:
    user, before = cast("User", request.user), request.session.get(_SHOWN, {}) if since else {}

    def look() -> Ward | None:
        return ward_of(user, since=since, shown=before, now=timezone.now())

    shown = wait_for(look, wait_s=wait_s)
    if shown is None:
        return HttpResponse(status=NOTHING_NEW)
    if wait_s:
        # As it is now: while this request waited, others have written to the session, or the user has logged out.
        session = type(request.session)(request.session.session_key)
        if not session.exists(session.session_key or ""):
            return HttpResponse(status=NOTHING_NEW)
        session[_SHOWN] = dict(shown.stamps)
        session.save()
    else:
        request.session[_SHOWN] = dict(shown.stamps)
    return render(request, template, {"ward": shown})
