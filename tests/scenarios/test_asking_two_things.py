"""Questions that ask two things: both halves are answered, and the half that is not found is named."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.answering import services
from clinical.answering.events import By, Completed, SentenceReady, Status
from clinical.identity.services import find_by_fhir_id
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def _amina() -> None:
    clinician()
    told = note("There is a rash on both arms. Outside bloods in March 2024: potassium 5.6.")
    take_in(bundle(patient(), observation(value=4.1), told))


def run(question: str) -> list[Any]:
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, question, clock=noon)
    return list(services.events(asked.id, clinician(), clock=noon))


def shown(events: list[Any]) -> list[SentenceReady]:
    return [event for event in events if isinstance(event, SentenceReady)]


def status_of(events: list[Any]) -> Status:
    (done,) = (event for event in events if isinstance(event, Completed))
    return done.status


def test_the_condition_that_no_sentence_tells_of_is_named_beside_the_one_that_is_told() -> None:
    events = run("has she a rash or fever?")
    assert status_of(events) is Status.ANSWERED
    texts = [one.text for one in shown(events)]
    assert "There is a rash on both arms." in texts
    assert "No sentence of the notes was found on: fever." in texts


def test_a_time_without_a_result_is_said_and_looked_for_in_the_notes() -> None:
    events = run("latest potassium and potassium in march 2024")
    assert status_of(events) is Status.ANSWERED
    texts = [one.text for one in shown(events)]
    assert any("4.1" in text for text in texts)
    assert any(text.startswith("Not recorded as data: ") and "march 2024" in text for text in texts)
    assert any("5.6" in one.text and one.by is By.QUOTE for one in shown(events))
