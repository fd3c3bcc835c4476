"""Look-ups answered by code over a small record with traps; what is not recorded is not answered."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from clinical.domain.route import CodeAnswer, answer_by_code, route, vocabulary_of
from tests.unit.fhir_builders import allergy, concept, condition, facts, medication, observation

if TYPE_CHECKING:
    from clinical.domain.facts import Fact

TODAY = date(2025, 6, 1)
UNTIL_FEBRUARY: dict[str, Any] = {
    "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2025-02-01"}}}}]
}
RECORD: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p", "name": [{"given": ["Amina"], "family": "Diallo"}],
     "birthDate": "1950-07-01"},
    observation("Potassium", "4.1", on="2024-05-01"),
    observation("Potassium", "4.6", on="2025-01-01"),
    observation("Potassium", "5.2", on="2025-03-01"),
    observation("Potassium", "9.9", on="2025-04-01", status="entered-in-error"),
    observation("Potassium [Moles/volume] in Urine", "61", on="2025-05-01"),
    observation("Sodium [Moles/volume] in Urine", "88", on="2025-05-01"),
    observation("Hemoglobin A1c/Hemoglobin.total in Blood", "7.20", "%", on="2025-03-01", code="4548-4"),
    medication("Apixaban 5 mg", status="stopped", statusReason=concept("GI bleed"), **UNTIL_FEBRUARY),
    medication("Metformin 500 mg", dosageInstruction=[{"text": "500 mg twice daily"}]),
    allergy("none", code={"text": "No known allergies"}),
    condition("Malignant neoplasm of colon"),
    condition("Hypertension", on="2013-04-26"),
    {"resourceType": "Procedure", "id": "c", "status": "completed", "code": concept("Colonoscopy"),
     "performedDateTime": "2019-08-18"},
    {
        "resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "IMP"},
        "type": [concept("Inpatient stay")], "period": {"start": "2025-01-30", "end": "2025-02-03"},
    },
]  # fmt: skip


def ask(question: str, record: list[Fact] | None = None) -> CodeAnswer:
    held = facts(*RECORD) if record is None else record
    return answer_by_code(route(question, vocabulary_of(held)), held, today=TODAY)


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("What is the latest potassium?", ["Latest result: Potassium 5.2 mmol/L on 01-Mar-2025"]),
        ("K", ["Potassium 5.2 mmol/L"]),
        ("potasium trend", ["rising, change +1.1 mmol/L", "4.1 mmol/L on 01-May-2024"]),
        ("previous potassium", ["Previous result: Potassium 4.6 mmol/L"]),
        ("first K+", ["First of 3 results: Potassium 4.1"]),
        ("highest potassium in the last six months", ["Highest of 2 results: Potassium 5.2"]),
        ("urine potassium", ["61 mmol/L"]),
        ("was potassium ever above 5", ["1 of 3 results above 5.", "5.2 mmol/L"]),
        ("has her K been over 6?", ["None of 3 results is above 6."]),
        ("potassium in 2024", ["4.1 mmol/L on 01-May-2024"]),
        ("How many potassium results?", ["3 results recorded, from 01-May-2024 to 01-Mar-2025."]),
        ("A1c", ["7.20 % on 01-Mar-2025"]),
        ("Is she on apixaban?", ["Not in force: Apixaban 5 mg", "stopped on 01-Feb-2025 because of: GI bleed"]),
        ("is he still taking eliquis", ["stopped on 01-Feb-2025"]),
        ("why was apixaban stopped?", ["because of: GI bleed"]),
        ("What dose of metformin is she on?", ["500 mg twice daily: ordered on 10-Jan-2025; active"]),
        ("current medications", ["Metformin 500 mg"]),
        ("What medicines were stopped?", ["Apixaban 5 mg"]),
        ("Is she allergic to penicillin?", ["Recorded negative: No known allergies"]),
        ("any allergies", ["Recorded negative: No known allergies"]),
        ("does she have high blood pressure", ["Hypertension: active, confirmed; onset 26-Apr-2013"]),
        ("when was the colonoscopy", ["Colonoscopy on 18-Aug-2019"]),
        ("when was she last admitted", ["Inpatient stay (inpatient) on 30-Jan-2025 to 03-Feb-2025"]),
        ("How old is Amina Diallo?", ["Age 74 on 01-Jun-2025"]),
        ("A1c and potassium", ["7.20 %", "5.2 mmol/L"]),
    ],
)
def test_what_is_recorded_is_answered_with_its_own_digits(question: str, texts: list[str]) -> None:
    answer = ask(question)
    shown = "\n".join(sentence.text for sentence in answer.sentences)
    assert answer.answered
    assert all(text in shown for text in texts), shown
    assert all(sentence.citations_from for sentence in answer.sentences)
    assert "9.9" not in shown


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("Does she take warfarin?", "warfarin"),
        ("is she on zorbaxil", "zorbaxil"),
        ("latest sodium", "sodium in blood"),
        ("latest magnesium", "magnesium in blood"),
        ("potassium in 2019", "potassium in blood in 2019"),
        ("glucose tolerance test", "glucose"),
        ("does she have lung cancer", "lung"),
        ("can she have ibuprofen", "advice"),
        ("should we start warfarin?", "warfarin"),
        ("has he been seen by a dietitian", "dietitian"),
        ("potassium on admission", "admission"),
        ("has she had a tetanus shot", "tetanus"),
        ("code status?", "code status"),
        ("why is she on metformin", "reason for metformin"),
        ("previous HbA1c", "previous hba1c"),
    ],
)
def test_what_is_not_recorded_is_not_answered_and_named(question: str, absent: str) -> None:
    answer = ask(question)
    assert not answer.answered
    assert answer.sentences == ()
    assert absent in (answer.absent or "")


def test_a_result_in_another_sample_is_related_and_no_answer() -> None:
    answer = ask("latest sodium")
    assert [one.text for one in answer.related] == [
        "In urine: Sodium [Moles/volume] in Urine 88 mmol/L on 01-May-2025; final.",
    ]


def test_an_allergy_list_nobody_filled_in_answers_nothing() -> None:
    answer = ask("any allergies?", facts(RECORD[0]))
    assert not answer.answered
    assert "no allergy entry of any kind" in (answer.absent or "")


def test_an_allergy_of_the_same_class_is_shown_as_that() -> None:
    answer = ask("allergic to amoxicillin?", facts(allergy("Penicillin"), allergy("Latex")))
    assert [one.text[:36] for one in answer.sentences] == ["Same drug class as amoxicillin: Alle"]


def test_differing_results_of_one_moment_are_both_shown_as_such() -> None:
    answer = ask("potassium", facts(observation("Potassium", "4.1"), observation("Potassium", "5.1")))
    assert len(answer.sentences) == 2
    assert all("holds differing ones" in one.text for one in answer.sentences)


def test_two_names_side_by_side_mean_one_problem() -> None:
    record = facts(condition("Chronic lung disease"), condition("Cancer of the left breast"))
    assert not ask("does she have lung cancer", record).answered
    assert len(ask("does she have breast cancer", record).sentences) == 1


def test_advice_on_a_drug_brings_the_allergy_and_no_answer() -> None:
    answer = ask("Can she be given amoxicillin?", facts(allergy("Penicillin"), medication("Amoxicillin 500 mg")))
    assert not answer.answered
    assert "Penicillin" in answer.related[0].text


def test_citations_name_the_value_the_test_and_the_date() -> None:
    sentence = ask("latest potassium").sentences[0]
    assert [path for _, path in sentence.citations_from] == [("valueQuantity",), ("code",), ("effectiveDateTime",)]
