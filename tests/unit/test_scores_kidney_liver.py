"""eGFR, clearance, KDIGO stage, BMI, calcium, anion gap and MELD from a record, and when they do not apply."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_builders import concept, condition, observation
from tests.unit.scores_builders import ask, at, coded, head, person, texts, value

DAY = 24
CREATININE = value("creatinine", "1.1")
LIVER_DIGITS = {"bilirubin": "2.1", "creatinine": "0.9", "inr": "1.5", "sodium": "133", "albumin": "2.9"}
LIVER = [value(key, digits) for key, digits in LIVER_DIGITS.items()]


def test_egfr_is_of_the_age_and_day_of_the_sample() -> None:
    sample = value("creatinine", "1.1", on="2026-01-09T08:00:00Z")
    given = ask("eGFR", person(), sample)
    assert "Age 69 on 09-Jan-2026" in texts(given)  # the day before the seventieth birthday
    assert head(given).startswith("eGFR (CKD-EPI 2021, creatinine): 54 mL/min/1.73 m2 on 09-Jan-2026")
    assert "checked against the text" in head(given)


@pytest.mark.parametrize(
    ("who", "more", "why"),
    [
        (person(born="2010-01-01"), [], "not for patients under 18"),
        (person(born="1992-01-01"), [condition("Pregnancy", on="2025-12-01")], "not valid in pregnancy"),
        (person(), [coded("Acute renal failure syndrome", "14669001", on="2026-02-20")], "not valid in acute kidney"),
        (person(), [condition("Dependence on renal dialysis", on="2024-01-01")], "not valid in dialysis"),
        (person(), [value("creatinine", "0.7", hours_ago=30)], "while creatinine is changing"),
        (person(), [value("creatinine", "1.9", hours_ago=6 * DAY)], "while creatinine is changing"),
    ],
)
@pytest.mark.parametrize("question", ["eGFR", "creatinine clearance"])
def test_an_estimate_is_not_given_where_creatinine_does_not_stand_for_function(
    question: str, who: dict[str, Any], more: list[dict[str, Any]], why: str
) -> None:
    given = ask(question, who, CREATININE, value("weight", "70"), *more)
    assert not given.answer.answered
    assert given.reason == "not-applicable"
    assert why in head(given)


@pytest.mark.parametrize(
    ("who", "more"),
    [
        (person(born="1992-01-01"), [condition("Pregnancy", clinical="resolved", on="2025-12-01")]),
        (person(born="1992-01-01"), [condition("Pregnancy", on="2024-01-01")]),
        (person(gender="male"), [condition("Pregnancy", on="2025-12-01")]),
        (person(), [coded("Acute kidney injury", "14669001", clinical="resolved", on="2026-02-20")]),
        (person(), [condition("Family history of pregnancy loss")]),
        (person(), [value("creatinine", "1.2", hours_ago=30)]),
    ],
)
def test_what_is_over_or_not_the_patients_does_not_stop_the_estimate(
    who: dict[str, Any], more: list[dict[str, Any]]
) -> None:
    assert ask("eGFR", who, CREATININE, *more).answer.answered


@pytest.mark.parametrize("gender", ["other", "unknown"])
def test_a_sex_the_formula_has_no_value_for_is_named(gender: str) -> None:
    given = ask("eGFR", person(gender=gender), CREATININE)
    assert given.reason == "missing"
    assert "sex" in head(given)


@pytest.mark.parametrize(("born", "answered"), [("1956", False), ("1956-03", False), ("1956-01", True), ("", False)])
def test_a_partial_birth_date_is_used_only_where_the_age_is_certain(born: str, answered: bool) -> None:
    given = ask("eGFR", person(born=born), CREATININE)
    assert given.answer.answered is answered
    assert answered or "birth date" in head(given)


def test_an_old_creatinine_says_so() -> None:
    given = ask("eGFR", person(), value("creatinine", "1.1", hours_ago=120 * DAY))
    assert given.answer.answered
    assert "it says nothing about today" in texts(given)


def test_clearance_names_the_weight_it_rests_on() -> None:
    given = ask("CrCl", person(), CREATININE, value("weight", "60", hours_ago=20 * DAY))
    assert head(given).startswith("Creatinine clearance (Cockcroft-Gault): 45 mL/min")
    assert "Body weight 60 kg" in texts(given)
    far = ask("CrCl", person(), CREATININE, value("weight", "60", hours_ago=120 * DAY))
    assert far.reason == "missing" and "body weight (last" in head(far)


def test_a_kdigo_stage_names_criteria_and_baseline() -> None:
    given = ask("KDIGO stage", person(), value("creatinine", "2.4"), value("creatinine", "1.0", hours_ago=60))
    assert head(given).startswith("KDIGO AKI stage: stage 2 on 03-Mar-2026. Criteria met: 1.5 times the baseline")
    assert "an older one is not presumed" in texts(given)
    assert "Urine output is not recorded" in texts(given)


def test_no_kdigo_criterion_is_an_answer_and_one_value_is_none() -> None:
    steady = ask("AKI stage", person(), CREATININE, value("creatinine", "1.0", hours_ago=30))
    assert steady.answer.answered
    assert "no criterion of acute kidney injury met" in head(steady)
    alone = ask("AKI stage", person(), CREATININE, value("creatinine", "0.6", hours_ago=10 * DAY))
    assert alone.reason == "missing"
    assert "only one creatinine in the 7 days" in head(alone)


def test_kdigo_counts_urine_output_only_where_it_is_recorded() -> None:
    urine = observation("Urine output 24 hour", "400", "mL/(24.h)", code="9192-6", on=at(2))
    record = [CREATININE, value("creatinine", "1.0", hours_ago=30), urine]
    assert "no criterion" in head(ask("AKI stage", person(), *record))  # no weight to relate it to
    given = ask("AKI stage", person(), *record, value("weight", "70"))
    assert head(given).startswith("KDIGO AKI stage: stage 3")  # 0.24 mL/kg/h over 24 hours
    assert "Urine output is not recorded" not in texts(given)


def test_new_renal_replacement_is_stage_3_and_long_dialysis_is_not_staged() -> None:
    new = {"resourceType": "Procedure", "id": "d", "status": "completed", "code": concept("Hemodialysis"),
           "performedDateTime": at(20)}  # fmt: skip
    assert head(ask("AKI stage", person(), value("creatinine", "3.0"), new)).startswith("KDIGO AKI stage: stage 3")
    chronic = ask("AKI stage", person(), CREATININE, condition("Hemodialysis dependent", on="2024-01-01"))
    assert chronic.reason == "not-applicable"


def test_bmi_of_an_adult_takes_an_older_height_and_of_a_child_none() -> None:
    height = value("height", "163", hours_ago=700 * DAY)
    grown = ask("BMI", person(), value("weight", "78.1"), height)
    assert head(grown).startswith("BMI: 29.4 kg/m2 on 03-Mar-2026. Overweight")
    child = person(born="2017-05-21")
    assert ask("BMI", child, value("weight", "29.6"), height).reason == "missing"
    same_day = ask("BMI", child, value("weight", "29.6"), value("height", "133"))
    assert head(same_day).startswith("BMI: 16.7 kg/m2")
    assert "No band: the WHO's are for adults" in texts(same_day)


@pytest.mark.parametrize(
    ("weight", "band"),
    [
        ("53.4", "Underweight"),
        ("53.5", "Normal"),
        ("72.1", "Normal"),
        ("72.3", "Overweight"),
        ("86.6", "Overweight"),
        ("86.7", "Obesity"),
    ],
)
def test_bmi_bands_are_those_of_the_who(weight: str, band: str) -> None:
    assert f". {band} " in head(ask("BMI", person(), value("weight", weight), value("height", "170")))


def test_a_bmi_just_below_a_band_is_shown_with_the_digits_that_say_so() -> None:
    given = ask("BMI", person(), value("weight", "53.4"), value("height", "170"))
    assert head(given).startswith("BMI: 18.48 kg/m2")


def test_corrected_calcium_shows_both_units_and_the_other_equation() -> None:
    given = ask("corrected calcium", person(), value("calcium", "8.0"), value("albumin", "2.5"))
    assert head(given).startswith("Albumin-corrected calcium: 9.2 mg/dL (2.30 mmol/L)")
    assert "unverified: from memory" in head(given)
    assert "gives 9.5 mg/dL" in texts(given)


def test_the_anion_gap_says_whether_potassium_is_in_it() -> None:
    record = [value("sodium", "140"), value("chloride", "100"), value("bicarbonate", "24")]
    assert "With potassium" not in texts(ask("anion gap", person(), *record))
    given = ask("anion gap", person(), *record, value("potassium", "4.1"))
    assert head(given).startswith("Anion gap: 16 mmol/L without potassium")
    assert "With potassium: 20.1 mmol/L" in texts(given)
    long = [value("sodium", "140.3712"), value("chloride", "100"), value("bicarbonate", "24.12345")]
    assert head(ask("anion gap", person(), *long)).startswith("Anion gap: 16.2 mmol/L")


def test_meld_asks_for_dialysis_only_where_it_is_recorded() -> None:
    male = person(gender="male")
    assert head(ask("MELD", male, *LIVER)).startswith("MELD 3.0: 17 on 03-Mar-2026")
    dialysed = [*LIVER, condition("Hemodialysis dependent", on="2024-01-01")]
    asked = ask("MELD", male, *dialysed)
    assert asked.reason == "judgements"
    assert [one.key for one in asked.questions] == ["dialysis"]
    stated = ask("MELD, dialysis twice in the past week: yes", male, *dialysed)
    assert head(stated).startswith("MELD 3.0: 28")
    assert head(ask("MELD", person(), *LIVER)).startswith("MELD 3.0: 18")  # 1.33 more for a woman
