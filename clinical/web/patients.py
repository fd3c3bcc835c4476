"""Finding a patient. The words typed travel in a form body, so that no URL or access log holds a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from clinical.selectors import LIST_LIMIT, patient_list
from clinical.web.borders import is_fragment

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

LONGEST_QUERY = 200


@require_http_methods(["GET", "HEAD", "POST"])
def patients(request: HttpRequest) -> HttpResponse:
    """Show the user's patients, or those who match every word typed."""
    user: User = request.user  # type: ignore[assignment]  # LoginRequiredMiddleware lets nobody else in
    query = request.POST.get("q", "")[:LONGEST_QUERY].strip()
    lines = patient_list(user, query)
    context = {"lines": lines, "query": query, "more": len(lines) == LIST_LIMIT}
    template = "patients/_list.html" if is_fragment(request) else "patients/page.html"
    return render(request, template, context)
