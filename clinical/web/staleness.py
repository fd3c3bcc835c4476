"""Whether an open answer still stands; asked by the page every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import grant_access
from clinical.answering.staleness import stale_answer
from clinical.domain.access import AccessDeniedError
from clinical.models import Question
from clinical.web import wording

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest

# htmx's status for "this was the last time to ask" (https://htmx.org/docs/#polling).
STOP_ASKING: Final = 286
NOTHING_NEW: Final = 204
_TEMPLATE: Final = "answer/_notice.html"


@require_safe
def question_staleness(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Return a notice once the answer may no longer hold, is gone (erased), or the record has closed.

    Shows nothing of the record, so that it leaves no row on the trail; access is decided all the same.
    """
    user = cast("User", request.user)
    question = Question.objects.only("patient_id").filter(id=question_id, user_id=user.get_username()).first()
    if question is None:
        return render(request, _TEMPLATE, {"words": wording.stale("gone")}, status=STOP_ASKING)
    try:
        grant_access(user, question.patient_id, action="question.staleness", now=timezone.now())
    except AccessDeniedError as denial:
        return render(request, _TEMPLATE, {"words": wording.denial(denial.reason)}, status=STOP_ASKING)
    stale = stale_answer(question.id, question.patient_id)
    if stale is None:
        return HttpResponse(status=NOTHING_NEW)
    context = {"stale": stale, "words": wording.stale(stale.reason)}
    # A mild notice may still turn grave, so that the page goes on asking.
    return render(request, "answer/_stale.html", context, status=STOP_ASKING if stale.grave else 200)
