"""The border of the people's door: nothing is kept by browsers, and refusals become pages once, here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import render

from clinical.domain.access import AccessDeniedError
from clinical.domain.visible import visible
from clinical.keys import KeyDestroyedError
from clinical.models import Patient, Question
from clinical.record.selectors import NotHeldError
from clinical.web.wording import denial

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class BorderMiddleware:
    """Mark every page no-store, and turn refusals into 403 and 404 pages with a reason."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; a page that holds a record must not come back with the Back button after log-out."""
        response = self._get_response(request)
        response["Cache-Control"] = "no-store"
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            _show_what_is_hidden(response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Return the page of a refusal; other errors are not caught here."""
        if isinstance(exception, AccessDeniedError):
            words = {"reason": exception.reason, "sentence": denial(exception.reason)}
            return render(request, "403.html", words, status=403)
        if isinstance(
            exception, (NotHeldError, KeyDestroyedError, Patient.DoesNotExist, Question.DoesNotExist, Http404)
        ):
            return render(request, "404.html", status=404)
        return None


def _show_what_is_hidden(response: HttpResponse) -> None:
    """Make the hidden characters of a page visible: words of a record must not reorder or hide other words."""
    html = response.content.decode(response.charset)
    shown = visible(html)
    if shown != html:
        response.content = shown.encode(response.charset)
        if "Content-Length" in response:
            response["Content-Length"] = len(response.content)


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx asks for a part of the page; without scripts the whole page is sent."""
    return request.headers.get("HX-Request") == "true"
