"""Questions are routed by a deterministic grammar, with a reason a clinician can read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.route import RouteKind, Topic, Vocabulary, answer_by_code, route, vocabulary_of
from clinical.domain.route.times import find_window
from clinical.domain.route.vocabulary import correct, edit_distance
from tests.unit.fhir_builders import condition, facts, medication, observation

PLAIN = vocabulary_of([])
TODAY = date(2025, 6, 1)


@pytest.mark.parametrize(
    ("question", "kind", "topic"),
    [
        ("latest K?", RouteKind.CODE, Topic.MEASURE),
        ("sats", RouteKind.CODE, Topic.MEASURE),
        ("Is he on a water tablet?", RouteKind.CODE, Topic.MEDICATION),
        ("is she on potassium", RouteKind.CODE, Topic.MEDICATION),
        ("what is her potassium", RouteKind.CODE, Topic.MEASURE),
        ("list all medications", RouteKind.CODE, Topic.MEDICATIONS),
        ("what is she on?", RouteKind.CODE, Topic.MEDICATIONS),
        ("past medications", RouteKind.CODE, Topic.PAST_MEDICATIONS),
        ("allergies", RouteKind.CODE, Topic.ALLERGIES),
        ("allergic to latex?", RouteKind.CODE, Topic.ALLERGY),
        ("drug allergies", RouteKind.CODE, Topic.ALLERGIES),
        ("is she DNR", RouteKind.CODE, Topic.CODE_STATUS),
        ("resus status", RouteKind.CODE, Topic.CODE_STATUS),
        ("flu jab this year?", RouteKind.CODE, Topic.IMMUNIZATION),
        ("immunisations", RouteKind.CODE, Topic.IMMUNIZATIONS),
        ("problem list", RouteKind.CODE, Topic.PROBLEMS),
        ("does he have AF", RouteKind.BOTH, Topic.PROBLEM),
        ("family history of diabetes", RouteKind.BOTH, Topic.FAMILY),
        ("vital signs", RouteKind.CODE, Topic.VITALS),
        ("recent lab results", RouteKind.CODE, Topic.RESULTS),
        ("last admission", RouteKind.CODE, Topic.ENCOUNTERS),
        ("date of birth", RouteKind.CODE, Topic.IDENTITY),
        ("why was warfarin stopped", RouteKind.BOTH, Topic.MEDICATION),
        ("why is her potassium high", RouteKind.NOTES, Topic.MEASURE),
        ("What did the cardiologist advise?", RouteKind.NOTES, None),
        ("summarise her stay", RouteKind.NOTES, None),
        ("", RouteKind.NOTES, None),
    ],
)
def test_each_kind_of_question_finds_its_route(question: str, kind: RouteKind, topic: Topic | None) -> None:
    found = route(question, PLAIN)
    assert (found.kind, found.intent.topic if found.intent else None) == (kind, topic), found.reason
    assert found.reason


def test_words_the_grammar_does_not_know_send_the_question_to_the_notes_too() -> None:
    found = route("latest potassium according to nephrology", PLAIN)
    assert found.kind is RouteKind.BOTH
    assert "nephrology" in found.reason


def test_a_misspelling_is_mended_and_said() -> None:
    found = route("latest creatinin", PLAIN)
    assert found.intent is not None
    assert found.intent.target == "creatinine"
    assert '"creatinin" read as "creatinine"' in found.reason


def test_names_of_the_record_itself_are_known() -> None:
    held = facts(observation("Peanut IgE Ab in Serum", "0.4"), medication("Zorbaxil 5 mg"), condition("Fabry disease"))
    vocabulary = vocabulary_of(held)
    assert route("peanut IgE", vocabulary).kind is RouteKind.CODE
    assert answer_by_code(route("is she on zorbaxil", vocabulary), held, today=TODAY).answered
    assert answer_by_code(route("does she have fabry disease", vocabulary), held, today=TODAY).answered


@pytest.mark.parametrize(
    ("typed", "known", "read"),
    [
        ("potasium", ["potassium", "sodium"], "potassium"),
        ("metfromin", ["metformin"], "metformin"),
        ("prednisolne", ["prednisone", "prednisolone"], ""),
        ("hidralazine", ["hydralazine", "hydroxyzine"], "hydralazine"),
        ("sodim", ["sodium"], "sodium"),
        ("kal", ["kalium"], ""),
        ("celebrex", ["celexa"], ""),
    ],
)
def test_only_one_near_word_is_a_correction(typed: str, known: list[str], read: str) -> None:
    assert correct(typed, known) == read


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edit_distance_is_a_symmetric_count(left: str, right: str) -> None:
    distance = edit_distance(left, right, 9)
    assert distance == edit_distance(right, left, 9)
    assert (distance == 0) == (left == right)
    assert abs(len(left) - len(right)) <= distance <= max(len(left), len(right))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("since march", datetime(2025, 3, 1, tzinfo=UTC), None),
        ("since august", datetime(2024, 8, 1, tzinfo=UTC), None),
        ("in 2024", datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        ("in december 2023", datetime(2023, 12, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)),
        ("on 14 march 2025", datetime(2025, 3, 14, tzinfo=UTC), datetime(2025, 3, 15, tzinfo=UTC)),
        ("before 2024-05", None, datetime(2024, 5, 1, tzinfo=UTC)),
        ("after 2023", datetime(2024, 1, 1, tzinfo=UTC), None),
        ("over the last two years", datetime(2023, 6, 1, tzinfo=UTC), None),
        ("past 6 months", datetime(2024, 12, 1, tzinfo=UTC), None),
        ("this year", datetime(2025, 1, 1, tzinfo=UTC), None),
        ("yesterday", datetime(2025, 5, 31, tzinfo=UTC), None),
    ],
)
def test_time_expressions_have_one_reading(text: str, start: datetime | None, end: datetime | None) -> None:
    window, rest = find_window(f"potassium {text} please")
    assert window is not None
    assert window.bounds(TODAY) == (start, end)
    assert rest.split() == ["potassium", "please"]


@pytest.mark.parametrize("text", ["the last potassium", "in may 31st february", "on 31 february 2024", "may he eat"])
def test_what_is_no_date_is_no_window(text: str) -> None:
    window, _ = find_window(text)
    assert window is None or window.month == 5


@given(question=st.text(max_size=60), amount=st.integers(0, 99999))
def test_any_question_is_routed_and_answered_without_error(question: str, amount: int) -> None:
    held = facts(observation("Potassium", "4.1"), medication("Metformin"))
    for asked in (question, f"potassium {question}", f"is she on {question}", f"potassium in the last {amount} years"):
        answer_by_code(route(asked, Vocabulary(PLAIN.names, PLAIN.words)), held, today=TODAY)
