"""Opening a card's link: the chart of the patient it stands for, with the question typed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinical.access.handles import HandleError, open_handle
from clinical.web.chart import chart

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@login_not_required
@require_GET
def open_card(request: HttpRequest, token: str) -> HttpResponse:
    """Use the link up and show the chart; without a session, go on to the log-in first and use nothing up.

    A browser that comes from another site leaves a strict cookie behind, so the way on is a page of our own: from
    there a session that exists is seen, and one that does not is asked for.
    """
    if not request.user.is_authenticated:
        onwards = f"{reverse('login')}?{urlencode({'next': request.path})}"
        return render(request, "handle/onwards.html", {"onwards": onwards})
    try:
        opened = open_handle(token, request.user.get_username(), now=timezone.now())
    except HandleError as error:
        return render(request, "handle/closed.html", {"reason": error.reason}, status=410)
    return chart(request, opened.patient_id, typed=opened.question)
