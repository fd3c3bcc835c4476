"""The form by which a clinician gives the judgements a score asks for: it becomes a new question."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinical.access.services import grant_access
from clinical.answering import services
from clinical.models import Question
from clinical.web.ask import take

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse


@require_POST
def post_judgements(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Ask again with the judgements given; those left open are asked for again.

    Only judgements that the stored answer asked for, with one of its options, are taken into the question.
    """
    user = cast("User", request.user)
    question = get_object_or_404(
        Question.objects.select_related("patient", "answer"), id=question_id, user_id=user.get_username()
    )
    grant_access(user, question.patient_id, action="question.judgements", now=timezone.now())
    asked = services.result_of(question.answer).get("judgements", [])
    given = [
        f"{one['words']}: {choice}"
        for one in asked
        if (choice := request.POST.get(f"judgement-{one['key']}", "")) in one["options"]
    ]
    return take(request, question.patient_id, "; ".join([services.text_of(question), *given]))
