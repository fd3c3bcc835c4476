"""Words that ask for something by another name, and what is shown beside an absence."""

from datetime import date

import pytest

from clinical.answering.settling import is_advice, shows_what_is_near
from clinical.domain.route import Topic, answer_by_code, route, vocabulary_of
from tests.unit.fhir_builders import facts, medication, observation

TODAY = date(2025, 6, 1)


@pytest.mark.parametrize(
    "question", ["What grew in the urine?", "any growth in her urine culture", "organism in urine"]
)
def test_what_grew_asks_for_the_culture(question: str) -> None:
    chosen = route(question, vocabulary_of(facts(observation("Urine culture", "1", on="2025-02-04"))))
    assert chosen.intent is not None
    assert (chosen.intent.topic, chosen.intent.said) == (Topic.MEASURE, "urine culture")


def test_a_class_named_beside_its_drug_asks_about_the_drug_alone() -> None:
    held = facts(medication("propranolol"))
    chosen = route("why was the beta blocker bisoprolol stopped", vocabulary_of(held))
    answer = answer_by_code(chosen, held, today=TODAY)
    assert not answer.answered
    assert answer.related == ()


def test_the_class_alone_is_still_asked_about() -> None:
    held = facts(medication("propranolol"))
    assert answer_by_code(route("is he on a beta blocker", vocabulary_of(held)), held, today=TODAY).answered


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("why is he on propranolol", True),
        ("can he have ibuprofen", True),
        ("serum sodium?", False),
        ("potassium in 2019", False),
        ("is he allergic to latex", False),
    ],
)
def test_facts_that_do_not_answer_are_shown_only_beside_a_reason_or_advice_asked_for(question: str, near: bool) -> None:
    assert shows_what_is_near(route(question, vocabulary_of([]))) is near


def test_only_a_question_for_advice_is_one_for_advice() -> None:
    assert is_advice(route("can he have ibuprofen", vocabulary_of([])))
    assert not is_advice(route("is he on ibuprofen", vocabulary_of([])))
