"""CHA2DS2-VASc, CHA2DS2-VA, HAS-BLED and Wells: evidence, its absence, and what only the clinician can say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_builders import concept, condition, medication, observation
from tests.unit.scores_builders import ask, at, coded, head, person, texts, value

AF = coded("Atrial fibrillation", "49436004", on="2022-05-01")
DAY = 24
ALL_WELLS_PE = (
    "signs of DVT: no, alternative diagnosis less likely: yes, immobilisation or recent surgery: yes, "
    "previous DVT or PE: no, haemoptysis: no, malignancy: no"
)


def icd(text: str, code: str, **more: Any) -> dict[str, Any]:
    return condition(text, code=concept(text, code, "http://hl7.org/fhir/sid/icd-10"), **more)


def doubted(text: str, verification: str) -> dict[str, Any]:
    return condition(text, verificationStatus={"coding": [{"code": verification}]})


def procedure(text: str, on: str = "2015-06-03", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Procedure", "id": text[:20], "status": "completed", "code": {"text": text},
            "performedDateTime": on} | more  # fmt: skip


@pytest.mark.parametrize("score", ["CHA2DS2-VASc", "CHA2DS2-VA"])
def test_items_without_evidence_are_listed_and_the_total_is_at_least(score: str) -> None:
    given = ask(score, person(), AF)
    assert head(given).startswith(f"{score}: at least {2 if score.endswith('c') else 1}, on what is documented")
    assert texts(given).count("not documented (counted 0)") == 5
    assert "not the same as recorded absent" in texts(given)


def test_a_refuted_problem_is_recorded_absent_and_not_the_same_as_silence() -> None:
    record = [doubted(name, "refuted") for name in ("Heart failure", "Hypertension", "Diabetes", "Stroke")]
    given = ask("CHA2DS2-VASc", person(), AF, *record, doubted("Myocardial infarction", "refuted"))
    assert texts(given).count("recorded absent") == 5
    assert "at least" not in head(given)
    assert head(given).startswith("CHA2DS2-VASc: 2.")


@pytest.mark.parametrize("verification", ["unconfirmed", "provisional", "differential"])
def test_a_doubted_diagnosis_is_shown_and_not_counted(verification: str) -> None:
    given = ask("CHA2DS2-VASc", person(), AF, doubted("Heart failure", verification))
    assert "recorded as unconfirmed: Heart failure" in texts(given)
    assert head(given).startswith("CHA2DS2-VASc: at least 2")


def test_an_entry_made_in_error_is_no_evidence() -> None:
    given = ask("CHA2DS2-VASc", person(), AF, doubted("Type 2 diabetes", "entered-in-error"))
    assert head(given).startswith("CHA2DS2-VASc: at least 2")
    assert "Type 2 diabetes" not in texts(given)


@pytest.mark.parametrize(
    ("problem", "points"),
    [
        (icd("Congestive failure", "I50.9"), 1),
        (icd("Old infarct of the brain", "I69.3"), 2),
        (coded("Transient ischemic attack", "266257000", clinical="resolved"), 2),
        (condition("Type II diabetes mellitus"), 1),
        (condition("Disorder of kidney due to diabetes mellitus"), 1),
        (condition("Essential hypertension"), 1),
        (coded("MI", "22298006", clinical="resolved"), 1),
        (condition("Peripheral vascular disease"), 1),
        (condition("Hypertension", clinical="resolved"), 0),
        (condition("Gestational diabetes"), 0),
        (condition("Prediabetes"), 0),
        (condition("Pulmonary hypertension"), 0),
        (condition("Family history of stroke"), 0),
        (condition("At risk of heart failure"), 0),
        (condition("Screening for diabetes"), 0),
        (condition("Heat stroke"), 0),
        (condition("Chronic sinusitis"), 0),
        (medication("Metformin 500 mg"), 0),
    ],
)
def test_problems_count_by_code_or_name_and_only_the_patients_own(problem: dict[str, Any], points: int) -> None:
    given = ask("CHA2DS2-VASc", person(), AF, problem)
    assert head(given).startswith(f"CHA2DS2-VASc: at least {2 + points},"), texts(given)


def test_coronary_disease_counts_by_the_2024_definition_and_not_by_that_of_2010() -> None:
    record = [person(), AF, coded("Ischaemic heart disease", "414545008")]
    assert head(ask("CHA2DS2-VA", *record)).startswith("CHA2DS2-VA: at least 2,")
    assert head(ask("CHA2DS2-VASc", *record)).startswith("CHA2DS2-VASc: at least 2,")
    assert "CHA2DS2-VASc: at least 2," in texts(ask("CHA2DS2-VA", *record))


def test_a_low_ejection_fraction_counts_and_a_normal_one_settles_nothing() -> None:
    low = ask("CHA2DS2-VASc", person(), AF, value("lvef", "38"))
    assert "Left ventricular ejection fraction 38 %" in texts(low) and "at least 3," in head(low)
    normal = ask("CHA2DS2-VASc", person(), AF, value("lvef", "60"))
    assert "at least 2," in head(normal) and "heart failure is not documented" in texts(normal)


def test_the_stroke_scores_are_for_atrial_fibrillation_without_a_mechanical_valve() -> None:
    without = ask("CHA2DS2-VASc", person())
    assert without.reason == "judgements"
    assert [one.key for one in without.questions] == ["af"]
    assert ask("CHA2DS2-VASc, atrial fibrillation: yes", person()).answer.answered
    valve = ask("CHA2DS2-VASc", person(), AF, procedure("Mechanical mitral valve replacement"))
    assert valve.reason == "not-applicable"
    assert "Mechanical mitral valve replacement" in head(valve)


def test_what_the_clinician_states_counts_and_the_record_is_shown_beside_it() -> None:
    given = ask("CHA2DS2-VASc, heart failure: no, stroke: no", person(), AF, condition("Heart failure"))
    assert "heart failure" in texts(given).lower()
    assert "no, as stated in the question: 0 points" in texts(given)
    assert "the record says so: Heart failure" in texts(given)


@pytest.mark.parametrize(
    ("more", "said", "total"),
    [
        ([value("systolic", "161")], "Systolic blood pressure 161 mmHg", 2),
        ([value("systolic", "160")], "0 points", 1),
        ([value("systolic", "170", hours_ago=400 * DAY)], "Uncontrolled hypertension", 1),
        ([value("creatinine", "200", unit="umol/L")], "Creatinine 200 umol/L", 2),
        ([value("creatinine", "199", unit="umol/L")], "Creatinine 199 umol/L", 1),
        ([condition("Kidney transplant", clinical="resolved")], "Kidney transplant", 2),
        ([icd("Alcoholic cirrhosis", "K70.3")], "Alcoholic cirrhosis", 2),
        ([icd("Bleeding ulcer", "K25.4", clinical="resolved")], "Bleeding ulcer", 2),
        ([condition("Iron deficiency anaemia")], "Iron deficiency anaemia", 2),
        ([condition("Iron deficiency anaemia", clinical="resolved")], "Bleeding history", 1),
        ([condition("Epistaxis")], "Bleeding history", 1),
        ([medication("Clopidogrel 75 mg")], "Clopidogrel 75 mg", 2),
        ([medication("Naproxen 500 mg", status="stopped")], "none among the standing orders", 1),
        ([medication("Ibuprofen 400 mg", status="draft")], "none among the standing orders", 1),
        ([coded("Alcoholism", "7200002")], "Alcoholism", 2),
    ],
)
def test_hasbled_counts_coded_problems_orders_and_values(more: list[dict[str, Any]], said: str, total: int) -> None:
    given = ask("HAS-BLED", person(), AF, *more)
    assert said in texts(given)
    assert head(given).startswith(f"HAS-BLED: at least {total},"), texts(given)


@pytest.mark.parametrize(("bilirubin", "alt", "total"), [("2.5", "125", 2), ("2.4", "125", 1), ("2.5", "120", 1)])
def test_liver_tests_count_only_together_and_against_their_own_ranges(bilirubin: str, alt: str, total: int) -> None:
    def ranged(high: str, unit: str) -> dict[str, Any]:
        return {
            "referenceRange": [
                {"high": {"value": high, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}
            ]
        }

    record = [
        observation("Bilirubin", bilirubin, "mg/dL", code="1975-2", on=at(30), **ranged("1.2", "mg/dL")),
        observation("ALT", alt, "U/L", code="1742-6", on=at(40), **ranged("40", "U/L")),
    ]
    assert head(ask("HAS-BLED", person(), AF, *record)).startswith(f"HAS-BLED: at least {total},")


def test_labile_inr_is_asked_for_only_on_a_vitamin_k_antagonist() -> None:
    on_warfarin = ask("HAS-BLED", person(), AF, medication("Warfarin 4 mg"))
    assert "labile-inr" in [one.key for one in on_warfarin.questions]
    on_apixaban = ask("HAS-BLED", person(), AF, medication("Apixaban 5 mg"))
    assert "labile-inr" not in [one.key for one in on_apixaban.questions]
    assert "no vitamin K antagonist among the standing orders" in texts(on_apixaban)


def test_no_medicine_list_at_all_is_no_evidence_that_none_is_taken() -> None:
    given = ask("HAS-BLED", person(), AF)
    assert "Antiplatelet medicine or NSAID: not documented (counted 0)" in texts(given)


def test_a_wells_score_has_no_total_until_every_judgement_is_made() -> None:
    given = ask("Wells PE", person())
    assert given.reason == "judgements"
    assert len(given.questions) == 7
    parts = ALL_WELLS_PE.split(", ")
    for left_out in range(len(parts)):
        rest = ", ".join(part for place, part in enumerate(parts) if place != left_out)
        partial = ask(f"Wells PE, {rest}", person(), value("heart-rate", "104"))
        assert not partial.answer.answered and len(partial.questions) == 1
    whole = ask(f"Wells PE, {ALL_WELLS_PE}", person(), value("heart-rate", "104"))
    assert head(whole).startswith("Wells score for PE (two-level): 6.0. PE likely")


def test_a_wells_score_takes_no_heart_rate_older_than_a_day() -> None:
    given = ask(f"Wells PE, {ALL_WELLS_PE}", person(), value("heart-rate", "104", hours_ago=30))
    assert [one.key for one in given.questions] == ["heart-rate"]


def test_a_documented_clot_counts_and_cancer_and_surgery_are_only_shown() -> None:
    record = [coded("Deep vein thrombosis", "128053003", clinical="resolved", on="2019-03"), condition("Colon cancer"),
              procedure("Total hip replacement", "2026-02-20")]  # fmt: skip
    given = ask("Wells PE", person(), *record)
    asked = [one.key for one in given.questions]
    assert "previous-vte" not in asked and {"malignancy", "immobile"} <= set(asked)
    assert "Previous DVT or PE: Deep vein thrombosis (Mar-2019): 1.5 points" in texts(given)
    assert "Colon cancer" in texts(given) and "Total hip replacement (20-Feb-2026)" in texts(given)


def test_an_alternative_as_likely_takes_two_points_from_the_dvt_score() -> None:
    words = [
        "active cancer", "paralysis or plaster", "bedridden or surgery", "deep vein tenderness", "entire leg swollen",
        "calf swelling", "pitting oedema", "collateral veins", "previous DVT",
    ]  # fmt: skip
    stated = ", ".join(f"{word}: {'yes' if word == 'calf swelling' else 'no'}" for word in words)
    given = ask(f"Wells DVT, {stated}, alternative diagnosis at least as likely: yes", person())
    assert head(given).startswith("Wells score for DVT (two-level): -1. DVT unlikely")


def test_which_wells_is_asked_and_a_triage_scale_is_not_computed() -> None:
    which = ask("Wells score", person())
    assert which.reason == "not-computed" and '"Wells DVT" or "Wells PE"' in head(which)
    triage = ask("What ESI level is she?", person())
    assert triage.reason == "not-computed" and not triage.answer.answered
    assert "is not computed here" in head(triage) and "NEWS2" in head(triage)
