"""A question with several conditions is also read by halves and without its circumstances."""

from __future__ import annotations

import pytest

from clinical.domain.quotes.simpler import simpler, without_circumstances


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("what did the dietitian say in April?", "what did the dietitian say?"),
        ("creatinine at the last renal clinic", "creatinine at the last renal clinic"),
        ("was he given oxygen post-op", "was he given oxygen"),
        ("is she on steroids at the moment?", "is she on steroids?"),
        ("why no heparin after the operation?", "why no heparin?"),
    ],
)
def test_circumstances_are_left_out_while_two_words_remain(question: str, bare: str) -> None:
    assert without_circumstances(question) == bare


def test_the_halves_of_a_compound_question_are_looked_for_one_by_one() -> None:
    halves = [one.text for one in simpler("who in the family had a stroke, and at what age?")]
    assert "who in the family had a stroke?" in halves


def test_a_half_that_is_only_a_subject_is_judged_by_the_whole_question() -> None:
    (first, *_) = simpler("nut allergy - what happened and when")
    assert first.judged_as == "nut allergy - what happened and when"
    assert first.figure


def test_what_is_told_before_a_question_is_no_question() -> None:
    assert not any("scan" in one.text for one in simpler("he had a scan, what did it show?"))


def test_a_plain_question_has_no_simpler_reading() -> None:
    assert simpler("who is her cardiologist?") == ()
