"""Questions for a reason, a person or a time are answered by what tells it, and by nothing that only stands near."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.domain.chunks import chunk
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.quotes import best_quotes
from clinical.domain.quotes.indications import asks_indication, indicated_by
from clinical.domain.quotes.question import read_question

NOTE = """Found on the kitchen floor by the cleaner, Mrs Pichler. He did not pass out. Dietitian: supplements.
Past history: asthma (salbutamol only), appendicectomy as a child. No wheeze.

Fasting sugars ran high again. The cough is set off by perfume. Swab of the toe sent.

Impression: acute gout of the big toe.

Creatinine peaked at 2.0; put down to the long lie. Pacemaker not needed if the pulse recovers.

Start allopurinol 100 mg daily in six weeks. Delirium on day two; cause retention and codeine.
Ramipril was not chosen because of his cough. CT of the head clear.
"""


def passages() -> list[Passage]:
    return [
        Passage(
            UUID(int=number),
            Span("DocumentReference/n", "1", Part.TEXT, part.start, part.end),
            NOTE[part.start : part.end],
            "DocumentReference",
            "2026-05-01",
            "Note",
            part.section,
        )
        for number, part in enumerate(chunk(NOTE), start=1)
    ]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Why does he take allopurinol?", "acute gout"),
        ("what is the allopurinol for?", "acute gout"),
        ("reason for allopurinol", "acute gout"),
        ("why was he delirious in hospital", "retention and codeine"),
        ("Why did the creatinine go up?", "long lie"),
        ("What sets off the cough?", "perfume"),
        ("Who found him?", "Mrs Pichler"),
        ("Did he lose consciousness?", "did not pass out"),
        ("Why was ramipril not given?", "because of his cough"),
    ],
)
def test_the_sentence_that_tells_it_is_quoted(question: str, told: str) -> None:
    result = best_quotes(question, passages())

    assert result.answered
    assert any(told in one.quote for one in result.quotes)


@pytest.mark.parametrize(
    "question",
    [
        "Why does he wear a pacemaker?",
        "Why does he use a walking frame?",
        "Who is his dietitian?",
        "When was his asthma diagnosed?",
        "What did the toe swab grow?",
        "Why does he take ramipril?",
        "Why was allopurinol stopped?",
        "Why does he take apixaban?",
        "What did the CT chest show?",
    ],
)
def test_what_only_stands_near_answers_nothing(question: str) -> None:
    assert not best_quotes(question, passages()).answered


def test_a_medicine_is_looked_up_by_itself_and_by_its_class() -> None:
    assert "gout" in indicated_by(frozenset({"allopurinol"}))
    assert "atrial-fibrillation" in indicated_by(frozenset({"apixaban"}))
    assert not indicated_by(frozenset({"gout"}))


def test_only_the_reason_of_an_order_is_looked_up_and_not_that_of_its_end() -> None:
    assert asks_indication(read_question("Why does she take apixaban?"))
    assert not asks_indication(read_question("Why was apixaban stopped?"))
    assert not asks_indication(read_question("When was apixaban started?"))
