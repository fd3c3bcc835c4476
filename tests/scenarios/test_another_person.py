"""On one chart a question about somebody else gets that chart's name, and nothing of what it holds."""

from __future__ import annotations

import pytest
from django.utils import timezone

from clinical.answering import stored
from clinical.answering.services import ask, events
from clinical.identity.services import find_by_fhir_id
from tests.factories import bundle, clinician, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

GREY = patient(name=[{"family": "Grey", "given": ["Amina"]}])
NOTE = "Lives with her husband. Mr Grey has diabetes and takes metformin. Mr Cole removed the gallbladder in May."


@pytest.fixture(autouse=True)
def _chart() -> None:
    take_in(bundle(GREY, observation(value=6.1), note(NOTE)))


def answered(question: str) -> dict[str, object]:
    found = find_by_fhir_id("amina")
    assert found is not None
    user = clinician()
    asked = ask(user, found.id, question, clock=timezone.now)
    return stored.as_json(events(asked.id, user, clock=timezone.now))


def shown(answer: dict[str, object]) -> str:
    sentences = answer["sentences"]
    assert isinstance(sentences, list)
    return " ".join(one["text"] for one in sentences)


@pytest.mark.parametrize(
    "question",
    [
        "Is Mr Brown's potassium high?",
        "What is Harold's potassium?",
        "MRN 998877 potassium",
        "Can Mr Brown have codeine?",
    ],
)
def test_another_persons_value_is_not_read_from_the_open_chart(question: str) -> None:
    answer = answered(question)

    assert answer["status"] == "not_documented"
    assert "The open chart is that of Amina Grey" in shown(answer)
    assert "6.1" not in shown(answer)
    assert not answer["findings"]


def test_the_same_question_about_the_patient_by_name_is_answered() -> None:
    answer = answered("Is Ms Grey's potassium high?")

    assert answer["status"] == "answered"
    assert "6.1" in shown(answer)


def test_what_the_record_says_of_her_husband_is_quoted_and_nothing_of_hers() -> None:
    answer = answered("Does Mr Grey have diabetes?")

    assert answer["status"] == "answered"
    assert "Mr Grey has diabetes" in shown(answer)
    assert answered("Is Mr Grey's potassium high?")["status"] == "not_documented"


def test_what_a_surgeon_of_the_record_did_is_asked_as_ever() -> None:
    assert "gallbladder" in shown(answered("Did Mr Cole remove anything?"))
