"""The chart page: banner, problems, medications, results, notes, and the box to ask in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import grant_access, record_read
from clinical.answering.selectors import recent_questions
from clinical.answering.services import LONGEST_QUESTION
from clinical.answering.warm import warm_up
from clinical.selectors import feeds, notes_of
from clinical.web.banner import identity
from clinical.web.chart_page import chart_page
from clinical.web.source_links import version_url

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

SUGGESTIONS: Final = (
    "What are the active medications?",
    "Latest potassium and trend?",
    "What did the last clinic letter advise?",
)
ASKED_BEFORE: Final = 8


@require_safe
def chart(request: HttpRequest, patient_id: UUID, *, typed: str = "") -> HttpResponse:
    """Show the chart of one patient; the decision and the read are on the trail before anything is read.

    `typed` stands in the box to ask in, as if the user had typed it.
    """
    user = cast("User", request.user)
    now = timezone.now()
    grant = grant_access(user, patient_id, action="chart.view", now=now)
    record_read(grant, action="chart.view", now=now)
    notes = [(note, f"{version_url(patient_id, note.resource, note.version)}?part=text") for note in notes_of(grant)]
    shown = identity(grant)
    context = {
        **shown,
        "page": chart_page(shown["chart"], patient_id),
        "notes": notes,
        "feeds": feeds(),
        "asked": recent_questions(grant, limit=ASKED_BEFORE),
        "suggestions": SUGGESTIONS,
        "longest": LONGEST_QUESTION,
        "typed": typed,
    }
    warm_up()
    return render(request, "chart/page.html", context)
