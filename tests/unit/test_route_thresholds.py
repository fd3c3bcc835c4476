"""Thresholds and two times: "at least 7" counts 7, "above 7" does not; each half of a question is answered."""

from __future__ import annotations

from datetime import date

import pytest

from clinical.domain.route import answer_by_code, route, vocabulary_of
from tests.unit.fhir_builders import condition, facts, observation

TODAY = date(2025, 6, 1)
HELD = facts(
    condition("Multiple sclerosis (disorder)"),
    condition("Small bowel obstruction"),
    observation("Hemoglobin A1c/Hemoglobin.total in Blood", "6.5", unit="%", on="2024-01-10", loinc="4548-4"),
    observation("Hemoglobin A1c/Hemoglobin.total in Blood", "7", unit="%", on="2024-07-10", loinc="4548-4"),
    observation("Hemoglobin A1c/Hemoglobin.total in Blood", "8.1", unit="%", on="2025-02-10", loinc="4548-4"),
)
WORDS = vocabulary_of(HELD)


def said(question: str) -> str:
    found = answer_by_code(route(question, WORDS), HELD, today=TODAY)
    return " / ".join(one.text for one in found.sentences)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("a1c at least 7", "2 of 3"),
        ("a1c >= 7", "2 of 3"),
        ("a1c of 7 or more", "2 of 3"),
        ("a1c 7% or higher", "2 of 3"),
        ("a1c no less than 7", "2 of 3"),
        ("a1c above 7", "1 of 3"),
        ("a1c over 7", "1 of 3"),
        ("a1c more than 7", "1 of 3"),
        ("a1c > 7", "1 of 3"),
        ("a1c at most 7", "2 of 3"),
        ("a1c no more than 7", "2 of 3"),
        ("a1c 7 or less", "2 of 3"),
        ("a1c <= 7", "2 of 3"),
        ("a1c below 7", "1 of 3"),
        ("a1c under 7", "1 of 3"),
        ("a1c between 7 and 8.1", "2 of 3"),
        ("a1c between 6.6 and 7.5 %", "1 of 3"),
    ],
)
def test_a_threshold_counts_itself_only_where_it_is_said_to(asked: str, count: str) -> None:
    assert said(asked).startswith(count)


def test_how_high_and_how_low_ask_for_the_extremes() -> None:
    assert said("how high did her a1c go").startswith("Highest of 3 results: ")
    assert said("how low has her a1c been").startswith("Lowest of 3 results: ")


@pytest.mark.parametrize(
    "question",
    ["a1c in jan 2024 and latest a1c", "a1c in january 2024 and now", "a1c jan 2024 vs latest"],
)
def test_a_test_asked_for_at_two_times_is_answered_for_both(question: str) -> None:
    text = said(question)
    assert "6.5 %" in text
    assert "Latest result: " in text
    assert "8.1 %" in text


def test_the_half_that_is_not_recorded_is_said() -> None:
    text = said("a1c in january 2024 and in march 2023")
    assert "6.5 %" in text
    assert "Not recorded as data: " in text
    assert "in march 2023" in text


def test_a_month_without_a_year_is_one_of_two_times() -> None:
    text = said("a1c february vs july")
    assert "8.1 %" in text
    assert "7 %" in text


def test_neither_half_recorded_is_no_answer() -> None:
    found = answer_by_code(route("a1c in march 2022 and in march 2023", WORDS), HELD, today=TODAY)
    assert not found.answered
    assert found.absent is not None
    assert "march 2022" in found.absent
    assert "march 2023" in found.absent


def test_an_abbreviated_problem_is_looked_up_by_its_name() -> None:
    assert said("history of SBO?").startswith("Small bowel obstruction")


def test_an_ambiguous_abbreviation_is_looked_up_and_its_meanings_are_said() -> None:
    found = route("any MS?", WORDS)
    assert '"MS" may mean multiple sclerosis, mitral stenosis or morphine sulfate' in found.reason
    assert said("any MS?").startswith("Multiple sclerosis")


def test_what_somebody_was_told_is_read_from_the_notes() -> None:
    assert route("what did we tell him about his a1c?", WORDS).intent is None
