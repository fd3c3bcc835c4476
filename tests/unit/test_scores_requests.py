"""Which questions ask for a score, which only mention one, and which values of the record go before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.answering.scores import score_of
from clinical.domain.provenance import DEMO
from clinical.domain.scores import asked_for
from clinical.domain.scores.judgements import answers_in, items_of
from tests.unit.fhir_builders import facts
from tests.unit.scores_builders import NOW, person, value


@pytest.mark.parametrize(
    ("question", "score"),
    [
        ("NEWS2?", "news2"), ("What is her NEWS 2 score?", "news2"), ("current early warning score", "news2"),
        ("news score", "news2"), ("calculate NEWS", "news2"), ("qSOFA", "qsofa"), ("quick sofa score please", "qsofa"),
        ("CURB-65", "curb65"), ("curb65 score for this patient", "curb65"), ("eGFR?", "egfr"),
        ("Calculate the eGFR by CKD-EPI", "egfr"), ("estimated GFR", "egfr"), ("creatinine clearance", "crcl"),
        ("creatinin clearance", "crcl"), ("CrCl", "crcl"), ("what is his Cockcroft-Gault", "crcl"),
        ("cockroft gault", "crcl"), ("AKI stage", "aki"), ("KDIGO stage?", "aki"), ("BMI", "bmi"),
        ("body mass index", "bmi"), ("corrected calcium", "calcium"), ("corected calcium", "calcium"),
        ("anion gap?", "aniongap"), ("MELD", "meld3"), ("meld 3.0 score", "meld3"), ("MELD-Na", "meld3"),
        ("CHA2DS2-VASc", "chadsvasc"), ("CHA₂DS₂-VASc score", "chadsvasc"), ("chads vasc", "chadsvasc"),
        ("cha2ds2vasc", "chadsvasc"), ("CHA2DS2-VA", "chadsva"), ("stroke risk score", "chadsva"),
        ("what is her stroke risk?", "chadsva"), ("HAS-BLED", "hasbled"), ("has bled score", "hasbled"),
        ("bleeding risk score", "hasbled"), ("Wells DVT", "wells-dvt"), ("Wells score for PE", "wells-pe"),
        ("wells", "wells"), ("ESI level", "triage"), ("Manchester triage category", "triage"),
        ("Wells PE score, alternative diagnosis less likely: no, recent surgery: yes", "wells-pe"),
        ("NEWS2, oxygen: air, consciousness: alert", "news2"), ("calculate BMI please", "bmi"),
    ],
)  # fmt: skip
def test_a_score_is_read_from_its_names_abbreviations_and_slips(question: str, score: str) -> None:
    request = asked_for(question)
    assert request is not None
    assert request.score == score


@pytest.mark.parametrize(
    "question",
    [
        "", "any news on her biopsy?", "what is the news", "Why was metformin stopped, eGFR below 30?", "eGFR in 2019",
        "eGFR trend", "previous eGFR", "highest BMI", "when was the last CURB-65 recorded in clinic",
        "What did Dr Wells say?", "triage note", "Has she bled after surgery?", "does she have heart failure",
        "latest creatinine", "what was the NEWS2 on admission", "serum calcium", "potassium and eGFR",
        "is he at risk of falls", "Is apixaban indicated given CHA2DS2-VASc?",
    ],
)  # fmt: skip
def test_a_question_that_only_mentions_a_score_is_left_to_the_look_up(question: str) -> None:
    assert asked_for(question) is None


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(question: str) -> None:
    request = asked_for(question)
    assert request is None or request.question == question


@pytest.mark.parametrize(
    ("question", "stated"),
    [
        (
            "Wells PE, alternative diagnosis less likely: no, recent surgery: yes",
            {"alternative": "no", "immobile": "yes"},
        ),
        ("wells pe; haemoptysis no; signs of DVT = yes", {"haemoptysis": "no", "dvt-signs": "yes"}),
        ("Wells PE, no haemoptysis, malignancy is present", {"haemoptysis": "no", "malignancy": "yes"}),
        ("Wells PE, previous DVT or PE: yes", {"previous-vte": "yes"}),
        ("Wells PE, haemoptysis: yes, hemoptysis: no", {"haemoptysis": "yes"}),
        ("Wells PE, haemoptysis: yes, haemoptysis: no", {}),
        ("Wells PE", {}),
    ],
)
def test_judgements_are_read_from_the_question(question: str, stated: dict[str, str]) -> None:
    assert answers_in(question, "wells-pe") == stated


@pytest.mark.parametrize("score", ["wells-dvt", "wells-pe", "hasbled", "news2", "qsofa", "curb65", "meld3"])
def test_the_words_that_are_asked_for_are_the_words_that_are_read(score: str) -> None:
    for row in items_of(score):
        if not row.words:
            continue
        judgement = row.judgement()
        for option in judgement.options:
            question = f"{score.replace('-', ' ')}, {judgement.words}: {option}"
            assert answers_in(question, score)[row.key] == option
            request = asked_for(question)
            assert request is not None and request.score == score


def test_on_air_and_on_oxygen_are_read_as_the_supply() -> None:
    assert answers_in("NEWS2 on room air", "news2") == {"oxygen": "air"}
    assert answers_in("NEWS2 on oxygen", "news2") == {"oxygen": "oxygen"}


@pytest.mark.parametrize("name", ["eGFR", "BMI"])
def test_a_recorded_value_stays_the_answer_unless_a_calculation_is_asked_for(name: str) -> None:
    base = [person(), value("creatinine", "1.1"), value("weight", "70"), value("height", "170")]
    recorded = [value("egfr", "61"), {**value("weight", "24.2", unit="kg/m2"), "code": {"text": "BMI"}}]
    assert score_of(f"{name}?", facts(*base, *recorded), now=NOW, trust=DEMO) is None
    assert score_of(f"{name}?", facts(*base), now=NOW, trust=DEMO) is not None
    calculated = score_of(f"calculate {name}", facts(*base, *recorded), now=NOW, trust=DEMO)
    assert calculated is not None and calculated.answer.answered


def test_a_question_for_no_score_is_not_taken() -> None:
    assert score_of("latest potassium", facts(value("potassium", "4.1")), now=NOW, trust=DEMO) is None
