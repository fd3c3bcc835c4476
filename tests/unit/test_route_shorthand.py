"""Questions in clinicians' shorthand, and what stands beside a medicine or a problem, are read for what they ask."""

from __future__ import annotations

from datetime import date

import pytest

from clinical.domain.lexicon.asked import written_out
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.words import tokens
from clinical.domain.route import Topic, answer_by_code, route, vocabulary_of
from clinical.domain.route.vocabulary import correct
from tests.unit.fhir_builders import allergy, condition, facts, medication, observation

TODAY = date(2025, 6, 1)
HELD = facts(
    medication("Simvastatin 40 mg"),
    medication("Fluticasone inhaler"),
    medication("Methylphenidate 20 mg"),
    medication("Losartan 50 mg"),
    condition("Gout"),
    condition("Childhood asthma"),
    {
        "resourceType": "Procedure",
        "id": "biopsy",
        "status": "completed",
        "code": {"text": "Biopsy of colon"},
        "performedDateTime": "2025-01-20",
    },
    allergy("Allergy to peanuts"),
    observation("Polyp size greatest dimension", "8", on="2025-02-01"),
)
WORDS = vocabulary_of(HELD)


def said(question: str) -> str:
    found = answer_by_code(route(question, WORDS), HELD, today=TODAY)
    return " / ".join(one.text for one in found.sentences) if found.answered else ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Hx of gout", "history of gout"),
        ("was vit K given", "was vitamin K given"),
        ("on simva", "on simvastatin"),
        ("mums history", "mother's history"),
        ("last fit", "last seizure"),
        ("colon ca", "colon cancer"),
        ("is he fit for theatre", "is he fit for theatre"),
        ("FIT test", "FIT test"),
        ("ca level", "ca level"),
        ("pred dose", "prednisolone dose"),
    ],
)
def test_shorthand_is_written_out_and_other_words_stay(typed: str, meant: str) -> None:
    assert written_out(typed) == meant


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("Hx of gout?", "Gout"),
        ("is he on simva", "Simvastatin"),
        ("asthma meds", "Fluticasone"),
        ("what is he taking for his asthma", "Fluticasone"),
        ("ritalin dose", "Methylphenidate"),
        ("allergic to nuts?", "One of nuts: "),
        ("polyp size", "8"),
    ],
)
def test_it_is_looked_up_by_what_it_means(question: str, held: str) -> None:
    assert held in said(question)


@pytest.mark.parametrize(
    "question",
    [
        "simvastatin level",  # how much is in the blood is not how much is taken
        "any angioedema with losartan?",  # the order says nothing of its effects
        "what did the biopsy of colon show",  # that it was done is not what it showed
        "epilepsy meds",
        "was vitamin K given",  # no potassium
        "did she have chemo",
    ],
)
def test_what_is_near_is_no_answer(question: str) -> None:
    assert said(question) == ""


def test_a_medicine_commonly_given_says_that_it_is_no_more() -> None:
    assert said("asthma meds").startswith("Of a kind commonly given for asthma: ")


def test_a_reason_that_an_order_only_refers_to_is_told_with_the_condition() -> None:
    held = facts(
        medication("Hydrochlorothiazide 25 mg", reasonReference=[{"reference": "Condition/condition-Hypertension"}]),
        condition("Hypertension"),
        condition("Gout"),
    )
    found = answer_by_code(route("why is he on HCTZ", vocabulary_of(held)), held, today=TODAY)
    texts = [one.text for one in found.sentences]
    assert found.answered
    assert [one.startswith("Recorded as its reason: Hypertension") for one in texts] == [False, True]
    meds = answer_by_code(route("hypertension meds", vocabulary_of(held)), held, today=TODAY)
    assert "commonly" not in meds.sentences[0].text


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("BP tablets?", Topic.MEDICATIONS),
        ("B12 injections", Topic.MEDICATION),
        ("B12 level", Topic.MEASURE),
        ("HPV course complete?", Topic.IMMUNIZATION),
        ("is his a1c climbing", Topic.MEASURE),
    ],
)
def test_what_is_named_and_what_is_asked_of_it_decide_together(question: str, topic: Topic) -> None:
    chosen = route(question, vocabulary_of([]))
    assert chosen.intent is not None
    assert chosen.intent.topic is topic


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("hives", "hives"),
        ("HIV", "hiv"),
        ("congestion", "congestion"),
        ("nasal congestion", "nasal-congestion"),
        ("pulmonary congestion", "pulmonary-congestion"),
        ("DOAC", "doac"),
    ],
)
def test_words_alike_in_letters_keep_their_own_meaning(text: str, concept: str) -> None:
    assert [one.concept.id for one in find_concepts(tokens(text), loose=True)] == [concept]


def test_a_known_word_is_no_slip_of_another() -> None:
    assert correct("chemo", ["chem7"]) == ""
    assert route("any congestion?", vocabulary_of(facts(condition("Congestive heart failure")))).intent is None


def test_pressures_are_compared_by_the_upper_number_and_it_is_said() -> None:
    held = facts(
        observation("Systolic blood pressure", "152", on="2025-01-01", unit="mm[Hg]"),
        observation("Systolic blood pressure", "131", on="2025-03-01", unit="mm[Hg]"),
    )
    chosen = route("BP above 140 ever?", vocabulary_of(held))
    texts = [one.text for one in answer_by_code(chosen, held, today=TODAY).sentences]
    assert chosen.intent is not None
    assert chosen.intent.topic is Topic.MEASURE
    assert texts[0].startswith("1 of 2 results above 140")
    assert texts[-1] == "Compared by the systolic pressure."
