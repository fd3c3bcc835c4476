"""Questions for and against a condition, and questions that want a diagnosis made."""

from __future__ import annotations

import pytest

from clinical.domain.criteria import asked_for, diagnosis_asked


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("What speaks for heart failure here?", "heart-failure"),
        ("what speaks against heart failure", "heart-failure"),
        ("evidence for and against PE?", "pulmonary-embolism"),
        ("Evidence for a pulmonary embolism in her", "pulmonary-embolism"),
        ("Does she meet criteria for CKD?", "chronic-kidney-disease"),
        ("does he meet the diagnostic criteria for diabetes", "diabetes"),
        ("Could this be pneumonia?", "pneumonia"),
        ("could she have a DVT", "deep-vein-thrombosis"),
        ("Is this acute kidney injury?", "acute-kidney-injury"),
        ("How likely is heart failure?", "heart-failure"),
        ("can we rule out PE", "pulmonary-embolism"),
        ("Which findings support pneumonia?", "pneumonia"),
        ("For and against anaemia", "anemia"),
        ("what points to heart failure in this patient?", "heart-failure"),
        ("anything suggestive of a deep vein thrombosis?", "deep-vein-thrombosis"),
        ("what speaks for pnuemonia", "pneumonia"),
    ],
)
def test_the_condition_named_is_found(question: str, condition: str) -> None:
    asked = asked_for(question)

    assert asked is not None
    assert condition in asked.matter.own


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest potassium?", "Why was apixaban stopped?", "Has she ever had a pulmonary embolism?",
        "What speaks against giving her apixaban?", "Is she on insulin?", "When was heart failure diagnosed?",
        "Does she have heart failure?", "What is the diagnosis?", "summarise her heart failure", "any falls?",
        "How many criteria were there?", "Was the pneumonia treated?",
    ],
)  # fmt: skip
def test_other_questions_are_left_alone(question: str) -> None:
    assert asked_for(question) is None


@pytest.mark.parametrize(
    "question",
    [
        "What is the diagnosis?", "What's the most likely diagnosis here?", "differential diagnosis?", "ddx please",
        "What could this be?", "what could be causing her breathlessness", "What is wrong with her?",
        "Give me a differential for the confusion", "Diagnose this patient", "what do you think she has?",
    ],
)  # fmt: skip
def test_these_want_a_diagnosis_made(question: str) -> None:
    assert diagnosis_asked(question)
    assert asked_for(question) is None


@pytest.mark.parametrize(
    "question",
    [
        "What was the diagnosis in 2019?", "which diagnosis was recorded at discharge",
        "What speaks for heart failure?",
        "What is her latest HbA1c?", "What was diagnosed by the biopsy?", "Could this be pneumonia?",
    ],
)  # fmt: skip
def test_these_do_not(question: str) -> None:
    assert not diagnosis_asked(question)
