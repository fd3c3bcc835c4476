"""The formulas by themselves: published examples, the ends of every band, and what must be monotone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.scores.equations import (
    Liver,
    anion_gap,
    body_mass_index,
    ckd_epi_2021,
    cockcroft_gault,
    corrected_calcium,
    meld_3,
    rounded,
)
from clinical.domain.scores.kidney_injury import Creatinine, stage_by_creatinine, stage_by_urine, unsteady
from clinical.domain.scores.of_stroke import age_points
from clinical.domain.scores.vitals import Vitals, news2

D = Decimal
WELL = Vitals(
    respiratory_rate=D(16), spo2=D(97), on_oxygen=False, systolic=D(120), heart_rate=D(72),
    consciousness="alert", temperature=D("36.8"),
)  # fmt: skip
SICK = Liver(bilirubin=D("2.5"), creatinine=D("1.4"), inr=D("1.8"), sodium=D(130), albumin=D("2.8"), female=False)
START = datetime(2026, 3, 1, tzinfo=UTC)


def total(vitals: Vitals) -> int:
    return sum(news2(vitals).values())


@pytest.mark.parametrize(
    ("parameter", "points"),
    [
        ("respiratory_rate", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
        ("spo2", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0}),
        ("systolic", {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}),
        ("heart_rate", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
        ("temperature", {"35.0": 3, "35.1": 1, "36.0": 1, "36.1": 0, "38.0": 0, "38.1": 1, "39.0": 1, "39.1": 2}),
    ],
)
def test_news2_scores_both_ends_of_every_band_of_the_chart(parameter: str, points: dict[int | str, int]) -> None:
    for digits, expected in points.items():
        changed: dict[str, Any] = {parameter: D(str(digits))}
        assert total(replace(WELL, **changed)) == expected, (parameter, digits)


@pytest.mark.parametrize(
    ("spo2", "oxygen", "points"),
    [(83, False, 3), (85, False, 2), (87, False, 1), (88, False, 0), (92, False, 0), (97, False, 0),
     (88, True, 0), (92, True, 0), (93, True, 1), (94, True, 1), (95, True, 2), (96, True, 2), (97, True, 3)],
)  # fmt: skip
def test_news2_scale_2_scores_high_saturations_only_on_oxygen(spo2: int, oxygen: bool, points: int) -> None:
    scored = news2(replace(WELL, spo2=D(spo2), on_oxygen=oxygen, scale_2=True))
    assert scored["spo2"] == points
    assert scored["oxygen"] == (2 if oxygen else 0)


@pytest.mark.parametrize("level", ["new confusion", "voice", "pain", "unresponsive"])
def test_news2_scores_three_for_every_level_but_alert(level: str) -> None:
    assert total(replace(WELL, consciousness=level)) == 3


@given(st.integers(20, 60), st.integers(0, 20))
def test_news2_does_not_fall_as_the_respiratory_rate_rises_above_20(rate: int, more: int) -> None:
    lower, higher = (replace(WELL, respiratory_rate=D(one)) for one in (rate, rate + more))
    assert total(lower) <= total(higher)


@given(st.integers(60, 100), st.integers(0, 20), st.booleans())
def test_news2_does_not_fall_as_saturation_falls_on_scale_1(spo2: int, less: int, oxygen: bool) -> None:
    lower, higher = (replace(WELL, spo2=D(one), on_oxygen=oxygen) for one in (spo2 - less, spo2))
    assert total(lower) >= total(higher)


@given(st.integers(1, 1400), st.integers(1, 200), st.integers(18, 109), st.booleans())
def test_egfr_falls_with_creatinine_and_with_age(creatinine: int, more: int, age: int, female: bool) -> None:
    low, high = D(creatinine) / 100, D(creatinine + more) / 100
    rate = ckd_epi_2021(creatinine=low, age=age, female=female)
    assert ckd_epi_2021(creatinine=high, age=age, female=female) < rate
    assert ckd_epi_2021(creatinine=low, age=age + 1, female=female) < rate


@pytest.mark.parametrize(
    ("weight", "age", "creatinine", "female", "clearance"),
    [("70", 65, "1.4", False, "52.1"), ("60", 45, "0.9", True, "74.8"), ("80", 60, "1.2", False, "74.1")],
)
def test_cockcroft_gault_gives_published_examples(
    weight: str, age: int, creatinine: str, female: bool, clearance: str
) -> None:
    found = cockcroft_gault(creatinine=D(creatinine), age=age, weight=D(weight), female=female)
    assert rounded(found, "0.1") == D(clearance)


def test_bmi_gives_the_example_of_the_who() -> None:
    assert rounded(body_mass_index(weight=D(58), height=D(170)), "0.1") == D("20.1")


def test_corrected_calcium_gives_a_published_example() -> None:
    assert corrected_calcium(calcium=D("8.0"), albumin=D("2.5")) == D("9.2")


def test_the_anion_gap_with_potassium_is_larger_by_the_potassium() -> None:
    without = anion_gap(sodium=D(140), chloride=D(100), bicarbonate=D(24))
    assert without == 16
    assert anion_gap(sodium=D(140), chloride=D(100), bicarbonate=D(24), potassium=D("4.1")) - without == D("4.1")


@given(st.integers(10, 400), st.integers(1, 100))
def test_meld_rises_with_bilirubin_inr_and_creatinine(tenths: int, more: int) -> None:
    for name in ("bilirubin", "inr", "creatinine"):
        changed: list[dict[str, Any]] = [{name: D(one) / 10} for one in (tenths, tenths + more)]
        low, high = (meld_3(replace(SICK, **one)) for one in changed)
        assert low <= high


def test_meld_is_six_where_every_value_is_at_its_healthy_bound() -> None:
    healthy = Liver(
        bilirubin=D("0.4"), creatinine=D("0.6"), inr=D("0.9"), sodium=D(141), albumin=D("4.4"), female=False
    )
    assert rounded(meld_3(healthy)) == 6
    assert rounded(meld_3(replace(healthy, female=True)), "0.01") == D("7.33")


def test_meld_takes_values_beyond_the_bounds_as_the_bounds() -> None:
    assert meld_3(replace(SICK, creatinine=D(9))) == meld_3(replace(SICK, creatinine=D(3)))
    assert meld_3(replace(SICK, sodium=D(110), albumin=D(1))) == meld_3(replace(SICK, sodium=D(125), albumin=D("1.5")))
    assert meld_3(replace(SICK, dialysis=True)) == meld_3(replace(SICK, creatinine=D(3)))


def creatinine(digits: str, hours: float) -> Creatinine:
    return Creatinine(D(digits), START + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("index", "earlier", "stage"),
    [
        ("1.3", [("1.0", 0)], 1),  # 0.3 within 48 hours
        ("1.2", [("1.0", 0)], 0),
        ("1.5", [("1.0", -100)], 1),  # 1.5 times within 7 days
        ("1.3", [("1.0", -100)], 0),  # the same rise, more slowly
        ("1.99", [("1.0", 0)], 1),
        ("2.0", [("1.0", 0)], 2),
        ("2.99", [("1.0", 0)], 2),
        ("3.0", [("1.0", 0)], 3),
        ("4.1", [("3.7", 0)], 3),  # 4.0 and the definition met
        ("4.1", [("4.0", 0)], 0),  # 4.0 of long standing
        ("3.0", [("1.0", -200)], 0),  # a baseline older than 7 days is not presumed
    ],
)
def test_kdigo_stages_by_the_values_of_seven_days(index: str, earlier: list[tuple[str, float]], stage: int) -> None:
    before = [creatinine(digits, hours) for digits, hours in earlier]
    assert stage_by_creatinine(creatinine(index, 40), before).stage == stage


def test_kdigo_takes_the_threshold_in_either_unit() -> None:
    before = [Creatinine(D(80) / D("88.4"), START)]
    assert stage_by_creatinine(Creatinine(D("106.5") / D("88.4"), START + timedelta(hours=20)), before).stage == 1
    assert stage_by_creatinine(Creatinine(D("106.4") / D("88.4"), START + timedelta(hours=20)), before).stage == 0


@given(st.integers(40, 300), st.lists(st.integers(40, 300), min_size=1, max_size=5))
def test_the_kdigo_stage_does_not_fall_as_creatinine_rises(tenths: int, before: list[int]) -> None:
    earlier = [creatinine(str(D(one) / 100), hours) for hours, one in enumerate(before)]
    stages = [stage_by_creatinine(creatinine(str(D(one) / 100), 30), earlier).stage for one in (tenths, tenths + 50)]
    assert stages[0] <= stages[1]


@pytest.mark.parametrize(
    ("rate", "hours", "stage"),
    [("0.5", 24, 0), ("0.49", 5, 0), ("0.49", 6, 1), ("0.49", 12, 2), ("0.29", 24, 3), ("0.29", 23, 2), ("0", 12, 3)],
)
def test_kdigo_stages_by_urine_output(rate: str, hours: int, stage: int) -> None:
    assert stage_by_urine(D(rate), D(hours)) == stage


def test_creatinine_that_moves_as_fast_as_in_injury_is_unsteady_both_ways() -> None:
    assert unsteady([creatinine("1.4", 0), creatinine("1.0", 40)]) is not None
    assert unsteady([creatinine("1.0", 0), creatinine("1.5", 160)]) is not None
    assert unsteady([creatinine("1.0", 0), creatinine("1.29", 40)]) is None
    assert unsteady([creatinine("1.0", 0), creatinine("2.0", 200)]) is None


@pytest.mark.parametrize(("age", "points"), [(64, 0), (65, 1), (74, 1), (75, 2), (95, 2)])
def test_age_gives_stroke_points_from_65_and_75(age: int, points: int) -> None:
    assert age_points(age) == points
