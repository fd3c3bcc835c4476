"""Asking: take the question, then stream what comes of it."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, cast

from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clinical.access.services import grant_access, record_read
from clinical.answering import services
from clinical.answering.staleness import stale_answer
from clinical.models import Question
from clinical.web import sse, wording
from clinical.web.answer_fragments import AnswerFragments, Fragment
from clinical.web.banner import identity
from clinical.web.borders import is_fragment
from clinical.web.wording import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    from clinical.answering.events import AnswerEvent


@require_POST
def post_question(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Take a question and return the place its answer streams into."""
    return take(request, patient_id, request.POST.get("question", ""))


def take(request: HttpRequest, patient_id: UUID, text: str) -> HttpResponse:
    """Ask, and return the place the answer streams into, or why the question is not taken."""
    user = cast("User", request.user)
    try:
        question = services.ask(user, patient_id, text, clock=timezone.now)
    except services.QuestionRefusedError as error:
        context = {"words": refusal(error.reason), "patient_id": patient_id}
        template = "answer/_refused.html" if is_fragment(request) else "answer/refused.html"
        return render(request, template, context, status=200 if is_fragment(request) else 400)
    if not is_fragment(request):
        return HttpResponseRedirect(reverse("question", args=[question.id]))
    return render(request, "answer/_answer.html", {"question": question, "text": services.text_of(question)})


@require_safe
def question_page(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Show a question asked before with its answer; `?whole` renders it without a stream."""
    user = cast("User", request.user)
    question = Question.objects.select_related("patient").get(id=question_id, user_id=user.get_username())
    now = timezone.now()
    grant = grant_access(user, question.patient_id, action="question.view", now=now)
    record_read(grant, action="question.view", now=now, question_id=str(question.id))
    stale = stale_answer(question.id, question.patient_id)
    context = {
        **identity(grant),
        "question": question,
        "text": services.text_of(question),
        "stale": stale,
        "stale_words": wording.stale(stale.reason) if stale else "",
        "fragments": _whole(question, user) if "whole" in request.GET else None,
    }
    return render(request, "answer/page.html", context)


@require_safe
def question_events(request: HttpRequest, question_id: UUID) -> StreamingHttpResponse:
    """Stream the answer as server-sent events, one HTML fragment each; ends with `end`."""
    user = cast("User", request.user)
    question = Question.objects.only("id", "patient_id").get(id=question_id, user_id=user.get_username())
    events = services.events(question_id, user, clock=timezone.now)
    response = StreamingHttpResponse(
        _stream(AnswerFragments(question.patient_id, question.id), events), content_type=sse.CONTENT_TYPE
    )
    response["X-Accel-Buffering"] = "no"
    return response


def _stream(fragments: AnswerFragments, events: Iterator[AnswerEvent]) -> Iterator[bytes]:
    """Yield the wire form; closing this closes the events, which stops the model."""
    with closing(events):  # type: ignore[type-var]  # what services.events returns are generators
        yield sse.OPENING
        for event in events:
            fragment = fragments.render(event)
            yield sse.HEARTBEAT if fragment is None else sse.message(fragment.name, fragment.html)
        yield sse.message("end", "")


def _whole(question: Question, user: User) -> list[Fragment]:
    fragments = AnswerFragments(question.patient_id, question.id)
    rendered = map(fragments.render, chain(services.events(question.id, user, clock=timezone.now)))
    return [fragment for fragment in rendered if fragment is not None]
