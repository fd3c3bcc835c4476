"""An independent set of calculators as a second opinion; where it differs on purpose, the test says why."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from open_medicine.mcp.calculators import (  # type: ignore[import-untyped]  # it carries no types
    anion_gap,
    bmi,
    chadsvasc,
    ckd_epi,
    cockcroft_gault,
    corrected_calcium,
    curb65,
    hasbled,
    news2,
    qsofa,
    wells_dvt,
    wells_pe,
)

from clinical.domain.scores import equations, vitals
from clinical.domain.scores.judgements import items_of
from tests.unit.scores_builders import ask, coded, head, person, value

D = Decimal
LEVELS = {
    "alert": "alert",
    "new confusion": "confusion",
    "voice": "voice",
    "pain": "pain",
    "unresponsive": "unresponsive",
}
WELLS = {
    "wells-dvt": {
        "cancer": "active_cancer", "paralysis": "paralysis_or_casting", "bedridden": "bedridden_or_major_surgery",
        "tenderness": "tenderness_along_deep_veins", "leg-swollen": "entire_leg_swollen",
        "calf": "calf_swelling_gt_3cm", "oedema": "pitting_edema", "collaterals": "collateral_superficial_veins",
        "previous-dvt": "previously_documented_dvt", "alternative": "alternative_diagnosis_likely",
    },
    "wells-pe": {
        "dvt-signs": "clinical_signs_dvt", "alternative": "pe_most_likely_diagnosis", "heart-rate": "heart_rate_gt_100",
        "immobile": "immobilization_or_surgery", "previous-vte": "previous_dvt_pe", "haemoptysis": "hemoptysis",
        "malignancy": "malignancy",
    },
}  # fmt: skip
STROKE = {
    "congestive_heart_failure": ("Heart failure", "84114007"),
    "hypertension": ("Hypertension", "38341003"),
    "diabetes": ("Type 2 diabetes", "44054006"),
    "stroke_tia_thromboembolism": ("Ischaemic stroke", "230690007"),
    "vascular_disease": ("Myocardial infarction", "22298006"),
}
HASBLED = {
    "hypertension": "uncontrolled hypertension", "abnormal_renal_function": "abnormal renal function",
    "abnormal_liver_function": "abnormal liver function", "stroke": "stroke", "bleeding": "bleeding history",
    "labile_inr": "labile INR", "drugs": "antiplatelet or NSAID", "alcohol": "alcohol 8 units or more a week",
}  # fmt: skip


def shown_total(text: str) -> Decimal:
    found = re.search(r": (?:at least )?(-?\d+(?:\.\d)?)", text)
    assert found, text
    return D(found[1])


@given(
    rate=st.integers(0, 60), spo2=st.integers(60, 100), on_oxygen=st.booleans(), scale_2=st.booleans(),
    systolic=st.integers(50, 250), pulse=st.integers(20, 200), level=st.sampled_from(sorted(LEVELS)),
    tenths=st.integers(320, 420),
)  # fmt: skip
def test_news2_agrees(
    rate: int, spo2: int, on_oxygen: bool, scale_2: bool, systolic: int, pulse: int, level: str, tenths: int
) -> None:
    ours = vitals.news2(
        vitals.Vitals(
            respiratory_rate=D(rate), spo2=D(spo2), on_oxygen=on_oxygen, systolic=D(systolic), heart_rate=D(pulse),
            consciousness=level, temperature=D(tenths) / 10, scale_2=scale_2,
        )
    )  # fmt: skip
    theirs = news2.calculate_news2(
        news2.NEWS2Params(
            respiration_rate=rate, spo2=spo2, spo2_scale="scale_2" if scale_2 else "scale_1",
            on_supplemental_o2=on_oxygen, systolic_bp=systolic, pulse=pulse, consciousness=LEVELS[level],
            temperature=tenths / 10,
        )
    )  # fmt: skip
    assert sum(ours.values()) == theirs.value


@given(st.integers(0, 60), st.integers(50, 250), st.booleans())
def test_qsofa_agrees(rate: int, systolic: int, altered: bool) -> None:
    ours = vitals.qsofa(respiratory_rate=D(rate), systolic=D(systolic), altered_mentation=altered)
    params = qsofa.QSOFAParams(respiratory_rate=rate, systolic_blood_pressure=systolic, altered_mentation=altered)
    assert sum(ours.values()) == qsofa.calculate_qsofa(params).value


def curb(bun: Decimal, **more: Any) -> tuple[int, int]:
    ours = vitals.curb65(
        confusion=more["confusion"], urea=bun * D("0.357"), respiratory_rate=D(more["respiratory_rate"]),
        systolic=D(more["systolic_bp"]), diastolic=D(more["diastolic_bp"]), age=more["age"],
    )  # fmt: skip
    return sum(ours.values()), curb65.calculate_curb65(curb65.CURB65Params(bun=float(bun), **more)).value


@given(
    st.integers(1, 1000), st.booleans(), st.integers(5, 50), st.integers(60, 200), st.integers(30, 120),
    st.integers(18, 100),
)  # fmt: skip
def test_curb65_agrees_but_for_urea_just_above_seven(
    tenths: int, confusion: bool, rate: int, systolic: int, diastolic: int, age: int
) -> None:
    bun = D(tenths) / 10
    assume(not D("19.6") < bun <= D(20))
    more = {
        "confusion": confusion,
        "respiratory_rate": rate,
        "systolic_bp": systolic,
        "diastolic_bp": diastolic,
        "age": age,
    }
    ours, theirs = curb(bun, **more)
    assert ours == theirs


def test_curb65_counts_urea_by_the_papers_seven_mmol_and_not_by_the_rounded_twenty_mg() -> None:
    more = {"confusion": False, "respiratory_rate": 16, "systolic_bp": 120, "diastolic_bp": 80, "age": 40}
    assert curb(D("19.8"), **more) == (1, 0)


@given(st.integers(10, 1500), st.integers(18, 100), st.booleans())
def test_egfr_agrees(hundredths: int, age: int, female: bool) -> None:
    ours = equations.ckd_epi_2021(creatinine=D(hundredths) / 100, age=age, female=female)
    params = ckd_epi.CKDEPIParams(age=age, is_female=female, serum_creatinine=hundredths / 100)
    assert abs(float(ours) - ckd_epi.calculate_ckd_epi(params).value) <= 0.051


@given(st.integers(10, 1500), st.integers(18, 100), st.integers(30, 250), st.booleans())
def test_cockcroft_gault_agrees(hundredths: int, age: int, weight: int, female: bool) -> None:
    ours = equations.cockcroft_gault(creatinine=D(hundredths) / 100, age=age, weight=D(weight), female=female)
    params = cockcroft_gault.CockcroftGaultParams(
        age=age, weight=weight, is_female=female, serum_creatinine=hundredths / 100
    )
    assert abs(float(ours) - cockcroft_gault.calculate_cockcroft_gault(params).value) <= 0.051


@given(st.integers(20, 3000), st.integers(40, 230))
def test_bmi_agrees(tenths: int, height: int) -> None:
    ours = equations.body_mass_index(weight=D(tenths) / 10, height=D(height))
    theirs = bmi.calculate_bmi(bmi.BMIParams(weight_kg=tenths / 10, height_cm=height)).value
    assert abs(float(ours) - theirs) <= 0.051


@given(st.integers(30, 200), st.integers(5, 60))
def test_corrected_calcium_agrees(calcium: int, albumin: int) -> None:
    ours = equations.corrected_calcium(calcium=D(calcium) / 10, albumin=D(albumin) / 10)
    params = corrected_calcium.CorrectedCalciumParams(calcium=calcium / 10, albumin=albumin / 10)
    assert abs(float(ours) - corrected_calcium.calculate_corrected_calcium(params).value) <= 0.051


@given(st.integers(100, 180), st.integers(60, 140), st.integers(2, 50))
def test_the_anion_gap_without_potassium_agrees(sodium: int, chloride: int, bicarbonate: int) -> None:
    ours = equations.anion_gap(sodium=D(sodium), chloride=D(chloride), bicarbonate=D(bicarbonate))
    params = anion_gap.AnionGapParams(sodium=sodium, chloride=chloride, bicarbonate=bicarbonate, albumin=None)
    assert float(ours) == anion_gap.calculate_anion_gap(params).value


@given(st.fixed_dictionaries({key: st.booleans() for key in STROKE}), st.integers(18, 100), st.booleans())
def test_chadsvasc_from_coded_problems_agrees(held: dict[str, bool], age: int, female: bool) -> None:
    patient = person(born=f"{2026 - age}-01-10", gender="female" if female else "male")
    problems = [coded(*STROKE[key]) for key, present in held.items() if present]
    given_answer = ask("CHA2DS2-VASc", patient, coded("Atrial fibrillation", "49436004"), *problems)
    params = chadsvasc.CHADSVAScParams(age=age, female_sex=female, **held)
    assert shown_total(head(given_answer)) == chadsvasc.calculate_chadsvasc(params).value


@given(st.fixed_dictionaries({key: st.booleans() for key in HASBLED}), st.integers(18, 100))
def test_hasbled_from_stated_judgements_agrees(held: dict[str, bool], age: int) -> None:
    stated = ", ".join(f"{HASBLED[key]}: {'yes' if present else 'no'}" for key, present in held.items())
    given_answer = ask(f"HAS-BLED, {stated}", person(born=f"{2026 - age}-01-10"))
    params = hasbled.HASBLEDParams(elderly=age > 65, **held)
    assert shown_total(head(given_answer)) == hasbled.calculate_hasbled(params).value
    assert "at least" not in head(given_answer)


@given(st.sampled_from(sorted(WELLS)), st.lists(st.booleans(), min_size=10, max_size=10))
def test_wells_totals_agree_and_only_the_two_level_reading_is_given(score: str, flags: list[bool]) -> None:
    rows = items_of(score)
    held = {row.key: flag for row, flag in zip(rows, flags, strict=False)}
    stated = ", ".join(f"{row.words[0]}: {'yes' if held[row.key] else 'no'}" for row in rows)
    given_answer = ask(f"{score.replace('-', ' ')} score, {stated}", person(), value("heart-rate", "80"))
    params = {WELLS[score][key]: flag for key, flag in held.items()}
    if score == "wells-dvt":
        theirs = wells_dvt.calculate_wells_dvt(wells_dvt.WellsDVTParams(**params)).value
        likely = theirs >= 2  # NICE: two levels; the second opinion has three
    else:
        theirs = wells_pe.calculate_wells_pe(wells_pe.WellsPEParams(**params)).value
        likely = theirs > 4
    assert shown_total(head(given_answer)) == D(str(theirs))
    assert ("unlikely" in head(given_answer)) is not likely
