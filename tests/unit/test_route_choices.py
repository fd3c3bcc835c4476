"""A model may only pick from a closed list of look-ups, and what its pick brings up is never the answer."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.route import vocabulary_of
from clinical.domain.route.choices import MOST, choices, parse_choice, related_by_choice
from clinical.domain.route.intents import Topic
from tests.unit.fhir_builders import condition, facts, medication, observation

TODAY = date(2025, 6, 1)
HELD = facts(
    observation("Potassium", "5.2", on="2025-03-01"),
    medication("Apixaban 5 mg"),
    condition("Hypertension"),
)
WORDS = vocabulary_of(HELD)


def test_the_list_holds_what_is_like_the_question_and_the_lists_of_the_record() -> None:
    labels = [choice.label for choice in choices("how did the potassium level behave", WORDS)]
    assert "potassium: latest" in labels
    assert "potassium: trend" in labels
    assert "medicines in force" in labels
    assert len(labels) == len(set(labels)) <= MOST


@given(st.text(max_size=80))
def test_any_question_has_a_closed_list_and_any_other_label_means_nothing(text: str) -> None:
    offered = choices(text, WORDS)
    assert 0 < len(offered) <= MOST
    if text not in {choice.label for choice in offered}:
        assert parse_choice(text, offered) is None
        assert related_by_choice(text, offered, HELD, today=TODAY).related == ()


def test_a_choice_is_parsed_back_and_answers_nothing() -> None:
    offered = choices("potassium behaviour", WORDS)
    intent = parse_choice("potassium: latest", offered)
    assert intent is not None
    assert intent.topic is Topic.MEASURE
    found = related_by_choice("potassium: latest", offered, HELD, today=TODAY)
    assert not found.answered
    assert found.sentences == ()
    assert "5.2 mmol/L" in found.related[0].text
