"""Medicines, allergies, problems, vaccinations and resuscitation: what is in force, what is not, what nobody asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical.domain.facts import NotAFactError, render
from clinical.domain.facts.allergies import AllergyStatus, allergies, matches_substance, negative_covers
from clinical.domain.facts.medications import active_medications, medications_of, past_medications
from clinical.domain.facts.statements import (
    active_problems,
    code_status,
    immunizations_about,
    past_problems,
    problems_about,
)
from tests.unit.fhir_builders import allergy, concept, condition, facts, medication, observation

TODAY = date(2025, 6, 1)
NKA = allergy("none", code={"text": "No known allergies"})


def ends(day: str) -> dict[str, Any]:
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": day}}}}]}


@pytest.mark.parametrize(
    ("resource", "active", "past"),
    [
        (medication("Ramipril"), 1, 0),
        (medication("Ramipril", status="on-hold"), 1, 0),
        (medication("Ramipril", status="stopped"), 0, 1),
        (medication("Ramipril", status="draft"), 0, 0),
        (medication("Ramipril", status="entered-in-error"), 0, 0),
        (medication("Ramipril", intent="plan"), 0, 0),
        (medication("Ramipril", doNotPerform=True), 0, 0),
        (medication("Ramipril", **ends("2025-05-31")), 0, 1),
        (medication("Ramipril", **ends("2025-06")), 1, 0),
    ],
)
def test_only_orders_in_force_are_active(resource: dict[str, Any], active: int, past: int) -> None:
    held = facts(resource)
    assert len(active_medications(held, today=TODAY)) == active
    assert len(past_medications(held, today=TODAY)) == past


@pytest.mark.parametrize(
    ("asked", "drug", "found"),
    [
        ("eliquis", "Apixaban 5 MG Oral Tablet", True),
        ("blood thinner", "Apixaban 5 MG Oral Tablet", True),
        ("water tablet", "Furosemide 40 mg", True),
        ("axid", "Nizatidine 15 MG/ML Oral Solution [Axid]", True),
        ("potassium", "Penicillin V Potassium 500 MG Oral Tablet", False),
        ("potassium", "Potassium chloride 600 mg", True),
        ("warfarin", "Apixaban 5 MG Oral Tablet", False),
        ("oxycodone", "Acetaminophen 325 MG / oxyCODONE Hydrochloride 5 MG", True),
        ("prednisone", "Prednisolone 5 mg", False),
    ],
)
def test_a_drug_is_found_by_generic_brand_and_class(asked: str, drug: str, *, found: bool) -> None:
    assert bool(medications_of(facts(medication(drug)), asked)) is found


@pytest.mark.parametrize(
    ("resources", "status"),
    [
        ([], AllergyStatus.NEVER_ASKED),
        ([NKA], AllergyStatus.NONE_KNOWN),
        ([allergy("Latex")], AllergyStatus.RECORDED),
        ([allergy("Latex"), NKA], AllergyStatus.RECORDED),
        ([allergy("Latex", verification="refuted")], AllergyStatus.REFUTED),
        ([allergy("Latex", clinical="resolved")], AllergyStatus.NOT_RECORDED),
        ([allergy("Latex", verification="entered-in-error")], AllergyStatus.NOT_RECORDED),
    ],
)
def test_four_allergy_answers_are_told_apart(resources: list[dict[str, Any]], status: AllergyStatus) -> None:
    held = allergies(facts(*resources))
    assert held.status is status
    assert held.conflict == (len(resources) == 2)


@pytest.mark.parametrize(
    ("recorded", "asked", "match"),
    [
        ("Penicillin V", "penicillin", "same"),
        ("Allergy to peanuts", "peanut", "same"),
        ("Penicillin", "amoxicillin", "class"),
        ("sulfonamide antibacterial", "sulfa", "same"),
        ("Latex", "penicillin", ""),
        ("Ibuprofen", "naproxen", "class"),
    ],
)
def test_a_substance_is_matched_itself_or_by_its_class(recorded: str, asked: str, match: str) -> None:
    (fact,) = facts(allergy(recorded))
    assert matches_substance(fact, asked) == match


@pytest.mark.parametrize(
    ("said", "asked", "covers"),
    [
        ("No known allergies", "latex", True),
        ("No known drug allergies", "penicillin", True),
        ("No known drug allergies", "latex", False),
        ("No known food allergies", "penicillin", False),
    ],
)
def test_a_recorded_negative_covers_only_what_it_says(said: str, asked: str, *, covers: bool) -> None:
    (fact,) = facts(allergy("x", code={"text": said}))
    assert negative_covers(fact, asked) is covers


def test_problems_are_active_past_or_refuted() -> None:
    held = facts(
        condition("Asthma"),
        condition("Gout", abatementDateTime="2022"),
        condition("Pneumonia", clinical="resolved"),
        condition("Lupus", verificationStatus={"coding": [{"code": "refuted"}]}),
        condition("Stroke", verificationStatus={"coding": [{"code": "entered-in-error"}]}),
    )
    assert [fact.row.text for fact in active_problems(held)] == ["Asthma"]
    assert sorted(fact.row.text for fact in past_problems(held)) == ["Gout", "Pneumonia"]
    assert [fact.row.status for fact in problems_about(held, "lupus")] == ["refuted"]


def test_lay_names_find_the_recorded_ones() -> None:
    flu = {"resourceType": "Immunization", "status": "completed", "vaccineCode": concept("Influenza, seasonal")}
    held = facts(condition("Essential hypertension (disorder)"), flu)
    assert problems_about(held, "high blood pressure")
    assert immunizations_about(held, "flu shot")
    assert not immunizations_about(held, "tetanus")


def test_a_withdrawn_resuscitation_statement_is_not_in_force() -> None:
    consent = {"resourceType": "Consent", "category": [concept("Do not resuscitate")], "dateTime": "2025-01-01"}
    assert len(code_status(facts(consent | {"status": "active"}))) == 1
    assert code_status(facts(consent | {"status": "inactive"})) == []


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (
            observation(
                "HbA1c", "7.2", "%", referenceRange=[{"low": {"value": "4.0"}, "high": {"value": "5.6", "unit": "%"}}]
            ),
            "HbA1c 7.2 % on 14-Mar-2025 (reference 4.0–5.6 %); final.",  # noqa: RUF001 - an en dash between numbers
        ),
        (
            observation("Troponin", {"valueQuantity": {"value": "0.01", "comparator": "<"}}),
            "Troponin <0.01 on 14-Mar-2025; final.",
        ),
        (
            observation("Culture", {"valueString": "No growth."}, on="2025-03", status="preliminary"),
            "Culture: No growth. in Mar-2025; preliminary.",
        ),
        (
            observation("Potassium", None, status="registered"),
            "Potassium: no value, pending on 14-Mar-2025; registered.",
        ),
        (
            medication("Apixaban 5 mg", status="stopped", statusReason=concept("GI bleed"), **ends("2025-02-01")),
            "Apixaban 5 mg: ordered on 10-Jan-2025; stopped on 01-Feb-2025 because of: GI bleed.",
        ),
        (medication("Apixaban", status="stopped"), "Apixaban: ordered on 10-Jan-2025; stopped (date not recorded)."),
        (
            allergy(
                "Penicillin",
                criticality="high",
                reaction=[{"manifestation": [{"text": "hives"}], "severity": "severe"}],
            ),
            (
                "Allergy or intolerance: Penicillin; reaction hives (severe); criticality high; "
                "recorded 03-Feb-2019; active, confirmed."
            ),
        ),
        (NKA, "Recorded negative: No known allergies; recorded 03-Feb-2019; active."),
        (condition("Gout", abatementDateTime="2022"), "Gout: active, confirmed; onset May-2020; ended 2022."),
        (
            {
                "resourceType": "Immunization",
                "status": "not-done",
                "vaccineCode": concept("MMR"),
                "statusReason": concept("refused"),
            },
            "MMR vaccine: not given; refused.",
        ),
    ],
)
def test_a_fact_is_one_plain_sentence(resource: dict[str, Any], text: str) -> None:
    assert render(facts(resource)[0]) == text


def test_an_entry_made_in_error_is_never_rendered() -> None:
    with pytest.raises(NotAFactError):
        render(facts(observation("Potassium", "9.9", status="entered-in-error"))[0])
