"""Questions with a path of their own, asked the way a clinician asks: through access, trail and store."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from clinical.answering import services, stored
from clinical.answering.events import (
    EvidenceFound,
    JudgementsNeeded,
    NotDocumented,
    RouteChosen,
    SentenceReady,
    Status,
)
from clinical.identity.services import find_by_fhir_id
from clinical.models import Answer, AuditEvent, Question
from clinical.ports import backends
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

GUIDELINE = """---
kind: guideline
title: Raised potassium
edition: {edition}
source: Written for this test
approver: Dr A. Approver
jurisdiction: here
expires: {expires}
---
# Raised potassium

Repeat a potassium above 6.0 mmol/L at once and record an electrocardiogram.
"""


@pytest.fixture(autouse=True)
def _amina() -> None:
    clinician()
    take_in(bundle(patient(), observation(value=4.1), note("Seen for review. Atrial fibrillation, stable.")))


def guideline(edition: str = "2026-1", expires: str = "2030-01-01") -> None:
    take_in(GUIDELINE.format(edition=edition, expires=expires).encode(), name="raised.md")


def ask(text: str) -> Question:
    found = find_by_fhir_id("amina")
    assert found is not None
    return services.ask(clinician(), found.id, text, clock=noon)


def events_of(question: Question) -> list[Any]:
    return list(services.events(question.id, clinician(), clock=noon))


def of(kind: type[Any], events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_summary_comes_in_sections_without_the_model() -> None:
    events = events_of(ask("Summarise this patient"))

    headings = [one.heading for one in of(SentenceReady, events)]
    assert "Allergies" in headings
    assert headings == sorted(headings, key=headings.index)
    assert backends().chat.prompts == []  # type: ignore[attr-defined]  # the scripted model
    assert of(RouteChosen, events)[0].route == "code+notes"


def test_a_stored_summary_keeps_its_sections() -> None:
    question = ask("Hand this patient over")
    first = events_of(question)

    assert of(SentenceReady, events_of(question)) == of(SentenceReady, first)
    assert stored.as_json(first)["sentences"][0]["heading"]


def test_a_guideline_is_quoted_and_cited_into_the_library() -> None:
    guideline()

    events = events_of(ask("What does our guideline say about potassium above 6?"))

    cited = {one.citation.span.resource.partition("/")[0] for one in of(EvidenceFound, events)[0].sources}
    assert cited == {"Guideline"}
    assert any("electrocardiogram" in one.text for one in of(SentenceReady, events))
    assert not of(NotDocumented, events)


def test_an_expired_guideline_is_refused_aloud() -> None:
    guideline(expires="2020-01-01")

    question = ask("What does our guideline say about potassium above 6?")
    events = events_of(question)

    assert Answer.objects.get(question=question).status == Status.REFUSED
    assert any("expired" in one.text for one in of(SentenceReady, events))
    assert not any("electrocardiogram" in one.text for one in of(SentenceReady, events))


@pytest.mark.parametrize("edition", ["2026-1", "2027-1"], ids=["same edition, new text", "next edition"])
def test_an_answer_that_quotes_an_older_edition_turns_stale(edition: str) -> None:
    guideline()
    question = ask("What does our guideline say about potassium above 6?")
    events_of(question)

    guideline(edition=edition, expires="2031-01-01")

    assert Answer.objects.get(question=question).stale_reason == "replaced"


def test_a_diagnosis_is_not_drawn() -> None:
    question = ask("What is the diagnosis?")
    events = events_of(question)

    assert Answer.objects.get(question=question).status == Status.REFUSED
    assert any("No diagnosis" in one.text for one in of(SentenceReady, events))


def test_a_score_without_its_inputs_names_them_and_proves_the_absence() -> None:
    question = ask("Calculate MELD 3.0")
    events = events_of(question)

    said = " ".join(one.text for one in of(SentenceReady, events))
    assert Answer.objects.get(question=question).status == Status.NOT_DOCUMENTED
    assert "bilirubin" in said.lower()
    assert of(NotDocumented, events)


def test_judgements_are_asked_for_and_can_be_given(client: Any) -> None:
    question = ask("Wells PE score")
    events = events_of(question)
    [needed] = of(JudgementsNeeded, events)
    client.force_login(clinician())

    reply = client.post(
        reverse("question-judgements", args=[question.id]),
        {f"judgement-{one.key}": "no" for one in needed.asked} | {"judgement-unknown": "yes"},
        headers={"HX-Request": "true"},
    )

    assert reply.status_code == 200
    again = Question.objects.exclude(id=question.id).get()
    text = services.text_of(again)
    assert text.startswith("Wells PE score; ")
    assert text.count(": no") == len([one for one in needed.asked if "no" in one.options])
    assert "unknown" not in text


def test_each_is_on_the_trail() -> None:
    question = ask("Summarise this patient")
    events_of(question)

    rows = AuditEvent.objects.filter(action="question", outcome="SUCCESS")
    assert [row.detail["question_id"] for row in rows] == [str(question.id)]


def test_a_guideline_opens_as_a_source_with_its_approver(client: Any) -> None:
    guideline()
    events = events_of(ask("What does our guideline say about potassium above 6?"))
    source = of(EvidenceFound, events)[0].sources[0].citation.span
    client.force_login(clinician())
    found = find_by_fhir_id("amina")
    assert found is not None

    kind, _, number = source.resource.partition("/")
    page = client.get(
        reverse("source", args=[found.id, kind, number, source.version]),
        {"part": "text", "start": source.start, "end": source.end},
    ).content.decode()

    assert "Dr A. Approver" in page
    assert '<mark id="cited"' in page
