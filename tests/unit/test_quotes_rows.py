"""Typed entries that name what a question asks about, by word, synonym or code; and the codes themselves."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from clinical.domain.facts import Fact
from clinical.domain.lexicon.tables import concepts
from clinical.domain.projection import project
from clinical.domain.quotes.coded import concepts_coded, is_known
from clinical.domain.quotes.rows import nameless, rows_asked

TODAY = date(2026, 3, 1)
SCT, ICD, LOINC = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm", "http://loinc.org"
Json = dict[str, Any]


def facts(*resources: Json) -> list[Fact]:
    return [Fact(row, f"{one['resourceType']}/x", "1") for one in resources for row in project(one)]


def condition(concept: Json, **more: Any) -> Json:
    subject = {"reference": "Patient/p"}
    return {
        "resourceType": "Condition",
        "id": "x",
        "subject": subject,
        "code": concept,
        "recordedDate": "2020-05-01",
    } | more


def coding(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


HEART_ATTACK = condition(coding(SCT, "22298006"))


@pytest.mark.parametrize("question", ["Has she had a heart attack?", "MI?", "any myocardial infarction?"])
def test_an_entry_with_a_code_alone_is_found_by_any_name(question: str) -> None:
    assert len(rows_asked(question, facts(HEART_ATTACK), today=TODAY, judged=True)) == 1


@pytest.mark.parametrize(
    "question",
    [
        "Does her mother have a history of heart attack?",  # of a relative
        "Why did she have a heart attack?",  # a reason, which an entry does not give
        "Is she allergic to aspirin?",
        "Has she had a stroke?",
        "Did she have a heart attack in 2023?",  # another time
    ],
)
def test_an_entry_of_another_matter_person_or_time_is_none(question: str) -> None:
    assert rows_asked(question, facts(HEART_ATTACK), today=TODAY, judged=False) == []


def test_what_a_look_up_by_name_turned_down_stays_turned_down() -> None:
    named = facts(condition({"text": "Asthma"}))

    assert rows_asked("Does she have asthma?", named, today=TODAY, judged=True) == []
    assert len(rows_asked("Does she have asthma?", named, today=TODAY, judged=False)) == 1


def test_what_was_entered_in_error_is_never_found() -> None:
    wrong = {
        "verificationStatus": coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", "entered-in-error")
    }

    assert rows_asked("MI?", facts(HEART_ATTACK | wrong), today=TODAY, judged=False) == []


def test_an_icd_code_is_read_by_its_longest_known_beginning() -> None:
    assert "type-2-diabetes" in concepts_coded([f"{ICD}|E11.65"])
    assert "diabetes" in concepts_coded([f"{ICD}|E11.65"])
    assert "diabetic-neuropathy" in concepts_coded([f"{ICD}|E11.42"])
    assert concepts_coded([f"{ICD}|E1"]) == frozenset()


def test_entries_that_no_table_can_name_are_counted() -> None:
    unknown = condition(coding(SCT, "999999999"))
    result = {"resourceType": "Observation", "id": "o", "status": "final", "code": coding(LOINC, "2823-3")}

    assert nameless(facts(unknown, HEART_ATTACK, result, condition({"text": "Asthma"}))) == 1
    assert is_known([f"{LOINC}|2823-3"])


def test_every_concept_of_the_table_of_codes_is_one_of_the_lexicon() -> None:
    table = json.loads(files("clinical.domain.quotes").joinpath("codes.json").read_text("utf-8"))

    assert table["status"] == "from memory"
    assert set(table["concepts"]) <= set(concepts())
    assert {system for row in table["concepts"].values() for system in row} <= {"sct", "icd", "rxn", "cvx"}
