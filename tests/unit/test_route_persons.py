"""A question that names another person, by name or by number, is known from one that does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clinical.domain.projection.rows import PatientRow
from clinical.domain.route.persons import Person, names_in, other_named, person_of

DOYLE = Person(frozenset({"margaret", "doyle"}), "female", frozenset({"mc1016", "9434765919"}))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Is Mr Brown's potassium high?", "Mr Brown"),
        ("is mr brown's potassium high", "mr brown"),
        ("What was Ms. Grey\u2019s creatinine?", "Ms. Grey"),
        ("Has Miss Grey had a stroke?", "Miss Grey"),
        ("Mr. O'Brien's sodium", "Mr. O'Brien"),
        ("Is Mr Doyle's potassium high?", "Mr Doyle"),
        ("Is Harold's potassium high?", "Harold"),
        ("harold's allergies", "harold"),
        ("what meds is Harold Finch on", "Harold Finch"),
        ("potassium for John Brown", "John Brown"),
        ("Does Harold have heart failure?", "Harold"),
        ("Is Quandt's sodium low?", "Quandt"),
        ("What is Wilson's potassium?", "Wilson"),
        ("Does Johnson take aspirin?", "Johnson"),
        ("MRN 12345678 latest sodium", "MRN 12345678"),
        ("another patient's potassium", "another patient's"),
        ("What is the sodium of the patient in bed 4?", "patient in bed 4"),
    ],
)
def test_somebody_else_is_named_in_the_words_of_the_question(question: str, words: str) -> None:
    found = other_named(question, DOYLE)

    assert found is not None
    assert found.words == words
    assert found.concerns


@pytest.mark.parametrize(
    "question",
    [
        "What is Margaret's potassium?", "Is Mrs Doyle's potassium high?", "Margaret Doyle: latest sodium?",
        "MRN MC-1016 latest sodium", "NHS number 943 476 5919 sodium?",
        "does she have Parkinson's disease?", "Is her Crohn's active?", "Has she Wilson's disease?",
        "Was Murphy's sign positive?", "Wells score", "What is the QTc by Bazett's formula?",
        "What did Dr Smith say about sodium?", "What did Nurse Byrne's visit find?", "did Professor Jones see her",
        "Her mother's diagnosis?", "What was Monday's potassium?", "What is today's INR?", "Zoloft's dose",
        "may she take codeine?", "May I give codeine?", "Will she need dialysis?", "Mark the latest potassium",
        "Did she miss Doses of warfarin?", "Does she have MS?", "MR Angiography result", "morphine MR dose",
        "Has she travelled to Jordan?", "Is St John's wort on the list?", "Was it another patient's sample?",
    ],
)  # fmt: skip
def test_the_patient_staff_relatives_eponyms_and_medicines_name_nobody_else(question: str) -> None:
    assert other_named(question, DOYLE) is None


@pytest.mark.parametrize("question", ["Did Mr Cole operate on her?", "What did Mr Cole find?", "Did Harold visit her?"])
def test_what_a_person_did_is_no_state_of_that_person(question: str) -> None:
    found = other_named(question, DOYLE)

    assert found is not None
    assert not found.concerns


def test_without_a_name_to_compare_with_only_numbers_tell() -> None:
    nameless = Person(frozenset(), "", frozenset({"77"}))

    assert other_named("Is Mr Brown's potassium high?", nameless) is None
    assert other_named("MRN 4711 potassium", nameless) is not None


def test_digits_in_the_names_of_synthetic_records_do_not_count() -> None:
    row = PatientRow(
        resource_type="Patient", status="active", codes=(), names=("Abe604 Frami345",), text="Abe604 Frami345",
        effective="", effective_path=(), effective_sort=datetime(2026, 1, 1, tzinfo=UTC), anchor=(),
        birth_date="", gender="male", deceased="", identifiers=(("MR", "urn:x", "MC-17/4"),),
    )  # fmt: skip

    assert person_of(row) == Person(frozenset({"abe", "frami"}), "male", frozenset({"mc174"}))
    assert other_named("Is Abe's potassium high?", person_of(row)) is None


def test_a_name_is_found_as_a_word_whatever_its_accents() -> None:
    held = names_in("Jos\u00e9 Nu\u00f1ez drives her.")

    assert held("jose")
    assert not held("nun")
    assert not held("")
