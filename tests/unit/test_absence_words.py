"""Any name of any concept of the lexicon, planted in a sentence of prose: a question by any other name finds it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinical.domain.gate.reading import read
from clinical.domain.lexicon.tables import CLINICAL, Concept, Kind, concepts
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.quotes import best_quotes

ASKED = {
    Kind.CONDITION: ("does she have {}?", "Known {}."),
    Kind.DRUG: ("is she on {}?", "Takes {} daily."),
    Kind.TEST: ("what was her {}?", "{}: 42 today."),
    Kind.VITAL: ("what was her {}?", "{}: 42 today."),
    Kind.VACCINE: ("has she had the {}?", "{} given last spring."),
}
FILLER = (
    "She walks daily and feels well.",
    "The garden keeps her busy.",
    "Her husband came along.",
    "Next visit in autumn.",
    "Insoles renewed.",
)
NAMED = sorted((one for one in concepts().values() if one.kind in CLINICAL), key=lambda one: one.id)


def is_read_as(concept: Concept, frame: str, name: str) -> bool:
    """Whether the reader takes the name, framed so, for this concept: some names belong to two ("plan B")."""
    return any(concept.id in one.keys for one in read(frame.format(name), loose=True).mentions)


def record(sentences: Sequence[str]) -> list[Passage]:
    """Return the sentences as a note of two passages."""
    half = len(sentences) // 2
    texts = [" ".join(sentences[:half]), " ".join(sentences[half:])]
    passages, at = [], 0
    for number, text in enumerate(text for text in texts if text):
        span = Span("DocumentReference/1", "1", Part.TEXT, at, at + len(text))
        passages.append(Passage(UUID(int=number), span, text, "DocumentReference", "2025-01-01", "Note"))
        at += len(text) + 1
    return passages


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, list[str]]:
    concept = draw(st.sampled_from(NAMED))
    asked, said = draw(st.sampled_from(concept.names)), draw(st.sampled_from(concept.names))
    question, statement = ASKED[concept.kind]
    assume(is_read_as(concept, question, asked) and is_read_as(concept, statement, said))
    sentences = list(draw(st.permutations(FILLER)))
    sentences.insert(draw(st.integers(0, len(sentences))), statement.format(said))
    return question.format(asked), sentences


@settings(max_examples=150, deadline=None)
@given(planted())
def test_what_is_planted_by_any_name_is_found_by_any_other(case: tuple[str, list[str]]) -> None:
    question, sentences = case

    assert best_quotes(question, record(sentences)).answered


@settings(max_examples=80, deadline=None)
@given(planted())
def test_without_it_nothing_is_found(case: tuple[str, list[str]]) -> None:
    question, sentences = case

    assert not best_quotes(question, record([one for one in sentences if one in FILLER])).answered


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("does she have hypertension?", "Longstanding hypertenson, well controlled.", True),
        ("does she have hypertension?", "Longstanding hypotension.", False),
        ("is she allergic to penicillin?", "Known penicilin allergy.", True),
        ("is she on furosemide?", "Takes furosemid daily.", True),
        ("was a colectomy done?", "Colostomy in 2019.", False),
        ("is she on prednisone?", "Takes prednisolone daily.", False),
    ],
)
def test_a_slip_of_the_record_is_read_and_another_word_is_not(question: str, text: str, found: bool) -> None:
    assert best_quotes(question, record([text])).answered is found
