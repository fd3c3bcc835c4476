"""A question from the form to the end of its stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest
from django.urls import reverse
from django.utils import timezone

from clinical.models import Answer, AuditEvent, Question
from clinical.ports import backends
from clinical.web import sse

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import StreamingHttpResponse
    from django.test import Client

    from tests.fakes import ScriptedChatModel
    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
INVENTED = "Potassium was 9.87 mmol/L in Timbuktu [1]. "


def ask(client: Client, patient: UUID, text: str) -> Question:
    response = client.post(reverse("ask", args=[patient]), {"question": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    question = Question.objects.latest("asked_at")
    assert f'sse-connect="{reverse("question-events", args=[question.id])}"' in response.content.decode()
    return question


def stream(client: Client, question: Question) -> StreamingHttpResponse:
    return cast("StreamingHttpResponse", client.get(reverse("question-events", args=[question.id])))


def events_of(response: StreamingHttpResponse) -> list[tuple[str, str]]:
    wire = b"".join(cast("list[bytes]", response.streaming_content)).decode()
    found = []
    for block in wire.split("\n\n"):
        name = re.search(r"^event: (.*)$", block, re.MULTILINE)
        if name:
            found.append((name[1], "\n".join(re.findall(r"^data: ?(.*)$", block, re.MULTILINE))))
    return found


def test_route_and_sources_come_before_sentences_and_the_end_comes_last(signed_in: Client, clinic: Clinic) -> None:
    response = stream(signed_in, ask(signed_in, clinic.full, "Why was ramipril stopped?"))
    names = [name for name, _ in events_of(response)]

    assert response["Content-Type"].startswith("text/event-stream")
    assert response["X-Accel-Buffering"] == "no"
    assert response["Cache-Control"] == "no-store"
    assert names[:2] == ["route", "sources"]
    assert names[2] == "sentence"
    assert names[-2:] == ["completed", "end"]


def test_a_quote_is_marked_and_links_to_its_words(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.full, "What happened after ramipril was stopped?")
    html = " ".join(html for name, html in events_of(stream(signed_in, question)) if name == "sentence")

    assert "Ramipril was stopped after a potassium of 6.1 mmol/L." in html
    assert "From the record" in html
    link = re.search(r'hx-get="(/patients/[^"]+DocumentReference/web-n1/1/[^"]+)"', html)
    assert link
    source = signed_in.get(link[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()
    assert re.search(r"<mark[^>]*>[^<]*Ramipril was stopped[^<]*</mark>", source)


def test_words_of_a_withheld_sentence_never_reach_the_browser(signed_in: Client, clinic: Clinic) -> None:
    cast("ScriptedChatModel", backends().chat).says = INVENTED
    question = ask(signed_in, clinic.full, "What happened after ramipril was stopped?")
    got = events_of(stream(signed_in, question))
    replayed = events_of(stream(signed_in, question))
    page = signed_in.get(reverse("question", args=[question.id]), {"whole": ""}).content.decode()

    assert "withheld" in [name for name, _ in got]
    for text in (str(got), str(replayed), page):
        assert "9.87" not in text
        assert "Timbuktu" not in text
    assert [name for name, _ in replayed] == [name for name, _ in got]


def test_hostile_words_of_a_note_arrive_escaped(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.full, "Was there a fall at the garden gate?")
    html = " ".join(html for _, html in events_of(stream(signed_in, question)))

    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "<b onclick" not in html


def test_a_model_that_is_down_leaves_quotes_and_says_so(signed_in: Client, clinic: Clinic) -> None:
    cast("ScriptedChatModel", backends().chat).down = True
    question = ask(signed_in, clinic.full, "What happened after ramipril was stopped?")
    names = [name for name, _ in events_of(stream(signed_in, question))]

    assert "unavailable" in names
    assert "sentence" in names


def test_what_is_not_in_the_record_is_said_with_what_was_searched(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.sparse, "Which colonoscopy findings were there?")
    got = dict(events_of(stream(signed_in, question)))

    assert "Not documented in the records held here" in got["absence"]
    assert "Last message of" in got["absence"]


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_a_reader_who_leaves_is_on_the_trail_as_interrupted(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.full, "What happened after ramipril was stopped?")
    response = stream(signed_in, question)
    pieces = iter(response)
    next(pieces)
    next(pieces)
    response.close()

    outcomes = AuditEvent.objects.filter(action="question").order_by("seq").values_list("outcome", flat=True)
    assert list(outcomes) == ["STARTED", "INTERRUPTED"]


@pytest.mark.parametrize(("text", "words"), [("  ", "Type a question first"), ("x" * 2001, "longer than 2000")])
def test_a_question_that_cannot_be_taken_says_why(signed_in: Client, clinic: Clinic, text: str, words: str) -> None:
    url = reverse("ask", args=[clinic.full])

    assert words in signed_in.post(url, {"question": text}, headers={"HX-Request": "true"}).content.decode()
    assert signed_in.post(url, {"question": text}).status_code == 400
    assert not Question.objects.exists()


def test_without_scripts_a_question_leads_to_a_whole_page(signed_in: Client, clinic: Clinic) -> None:
    response = signed_in.post(reverse("ask", args=[clinic.full]), {"question": "Active medications?"})
    page = signed_in.get(response["Location"], {"whole": ""}).content.decode()

    assert "BRENNAN" in page
    assert "Apixaban" in page
    assert "Audit row" in page


def test_an_earlier_question_is_listed_on_the_chart(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.full, "Active medications?")
    page = signed_in.get(reverse("chart", args=[clinic.full])).content.decode()

    assert reverse("question", args=[question.id]) in page
    assert "Active medications?" not in signed_in.get(reverse("chart", args=[clinic.sparse])).content.decode()


def test_an_answer_whose_source_changed_says_so(signed_in: Client, clinic: Clinic) -> None:
    question = ask(signed_in, clinic.full, "Active medications?")
    events_of(stream(signed_in, question))
    url = reverse("question", args=[question.id])
    assert "has changed since this answer" not in signed_in.get(url).content.decode()

    Answer.objects.update(stale_since=timezone.now())

    assert "has changed since this answer" in signed_in.get(url).content.decode()
    assert "A cited record has changed" in signed_in.get(reverse("chart", args=[clinic.full])).content.decode()


def test_line_ends_inside_a_fragment_cannot_end_the_event() -> None:
    wire = sse.message("sentence", "a\rb\r\nc\n\nevent: completed")

    assert wire == b"event: sentence\ndata: a\ndata: b\ndata: c\ndata: \ndata: event: completed\n\n"
