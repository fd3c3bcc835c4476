"""The whole path with the real demo model: what it drafts is shown only if the record bears it out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from appliance.processes.model_server import chat_model
from clinical.answering import services
from clinical.answering.events import By, SentenceReady, SentenceWithheld, Status
from clinical.answering.stored import as_json
from clinical.domain.quantity import find_quantities
from clinical.identity.services import find_by_fhir_id
from clinical.ports import backends
from tests.backends import fake_backends
from tests.factories import bundle, clinician, noon, note, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config import Config

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(400),
    pytest.mark.django_db(databases=["default", "audit"]),
]

STORY = (
    "Seen on 3 February 2026. Ramipril was stopped because the potassium rose to 6.1 mmol/L. "
    "Creatinine was 1.48 mg/dL. She walks two miles a day and denies chest pain. "
    "Amlodipine 5 mg once daily was started instead of ramipril. Review in four weeks."
)
QUESTIONS = (
    "Why was ramipril stopped?",
    "What was started instead of ramipril?",
    "How far does she walk?",
    "What happened after the potassium rose?",
)


@pytest.fixture
def asked(server: Config) -> Iterator[list[list[Any]]]:
    """The events of each question, drafted by the real model."""
    with closing(chat_model(server)) as chat:
        box = replace(fake_backends(), chat=chat)
        backends.cache_clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.backends.fake_backends", lambda: box)
            clinician()
            take_in(bundle(patient(), note(STORY)))
            found = find_by_fhir_id("amina")
            assert found is not None
            yield [
                list(
                    services.events(
                        services.ask(clinician(), found.id, question, clock=noon).id, clinician(), clock=noon
                    )
                )
                for question in QUESTIONS
            ]


def test_the_real_model_drafts_and_the_gate_lets_no_foreign_number_through(asked: list[list[Any]]) -> None:
    drafted = [event for events in asked for event in events if isinstance(event, SentenceWithheld)]
    shown = [s for events in asked for s in events if isinstance(s, SentenceReady) and s.by is By.MODEL]
    print(f"demo model: {len(shown)} sentences shown, {len(drafted)} withheld")  # noqa: T201 - the stage's figure

    assert len(shown) + len(drafted) >= 2
    in_the_record = {quantity.value for quantity in find_quantities(STORY)}
    for sentence in shown:
        assert sentence.citations
        assert {quantity.value for quantity in find_quantities(sentence.text)} <= in_the_record
    for event in drafted:
        assert event.reason
        assert as_json([event])["sentences"][0]["text"] == ""


def test_the_record_itself_answers_whatever_the_model_says(asked: list[list[Any]]) -> None:
    for question, events in zip(QUESTIONS, asked, strict=True):
        quotes = [s.text for s in events if isinstance(s, SentenceReady) and s.by is By.QUOTE]
        if events[-1].status is Status.ANSWERED:
            assert all(quote in STORY for quote in quotes), question
    assert sum(events[-1].status is Status.ANSWERED for events in asked) >= 2
