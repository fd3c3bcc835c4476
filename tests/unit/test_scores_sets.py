"""Inputs come from one set: nothing stale, nothing mixed, nothing guessed, and what is missing is named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.scores.inputs import Readings, one_set
from clinical.domain.scores.tables import formulas
from tests.unit.fhir_builders import facts
from tests.unit.scores_builders import NOW, WELL, ask, at, bedside, head, person, texts, value, vitals

LIVER = {"bilirubin": "2.1", "creatinine": "1.4", "inr": "1.5", "sodium": "131", "albumin": "2.9"}
COMPLETE: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "news2": ("NEWS2", [*vitals(), *bedside()]),
    "qsofa": ("qSOFA, altered mentation: no", [value("respiratory-rate", "16"), value("systolic", "120")]),
    "curb65": (
        "CURB-65, confusion: no",
        [
            value("respiratory-rate", "16"),
            value("systolic", "120"),
            value("diastolic", "80"),
            value("urea-nitrogen", "15"),
        ],
    ),
    "egfr": ("eGFR", [value("creatinine", "1.1")]),
    "crcl": ("CrCl", [value("creatinine", "1.1"), value("weight", "70")]),
    "aki": ("AKI stage", [value("creatinine", "1.1"), value("creatinine", "1.0", hours_ago=30)]),
    "bmi": ("BMI", [value("weight", "70"), value("height", "170")]),
    "calcium": ("corrected calcium", [value("calcium", "8.0"), value("albumin", "2.5")]),
    "aniongap": ("anion gap", [value("sodium", "140"), value("chloride", "100"), value("bicarbonate", "24")]),
    "meld3": ("MELD", [value(key, digits) for key, digits in LIVER.items()]),
}


@pytest.mark.parametrize("score", sorted(COMPLETE))
def test_a_complete_set_is_scored_and_every_recorded_input_is_shown_and_cited(score: str) -> None:
    question, record = COMPLETE[score]
    given_answer = ask(question, person(), *record)
    assert given_answer.answer.answered, texts(given_answer)
    assert given_answer.reason == ""
    cited = {fact.resource for fact, _ in given_answer.answer.sentences[0].citations_from}
    assert {f"{one['resourceType']}/{one['id']}" for one in record} <= cited
    assert all(one.citations_from for one in given_answer.answer.sentences if "as stated" not in one.text)


@pytest.mark.parametrize("score", sorted(COMPLETE))
def test_one_missing_input_never_yields_a_total(score: str) -> None:
    question, record = COMPLETE[score]
    for left_out in range(len(record)):
        rest = [one for place, one in enumerate(record) if place != left_out]
        given_answer = ask(question, person(), *rest)
        assert not given_answer.answer.answered, (score, record[left_out]["id"])
        assert given_answer.reason in {"missing", "judgements"}
        assert head(given_answer).startswith("No ")


@pytest.mark.parametrize("score", sorted(COMPLETE))
def test_values_older_than_the_limit_never_yield_a_total(score: str) -> None:
    question, record = COMPLETE[score]
    later = NOW + formulas()[score].limit + timedelta(hours=2)
    given_answer = ask(question, person(), *record, now=later)
    assert not given_answer.answer.answered
    assert given_answer.reason == "stale", head(given_answer)


@pytest.mark.parametrize("score", sorted(COMPLETE))
def test_values_after_the_moment_of_the_question_are_not_seen(score: str) -> None:
    question, record = COMPLETE[score]
    assert not ask(question, person(), *record, now=NOW - timedelta(hours=40)).answer.answered


@given(st.sampled_from(sorted(WELL)), st.integers(2, 200))
def test_a_vital_sign_of_another_hour_is_never_mixed_in(moved: str, hours: int) -> None:
    record = [value(key, digits, hours_ago=1 + (hours if key == moved else 0)) for key, digits in WELL.items()]
    given_answer = ask("NEWS2", person(), *record, *bedside())
    assert not given_answer.answer.answered
    assert given_answer.reason == "missing"


def test_values_each_within_an_hour_of_a_middle_one_are_no_set() -> None:
    ago = {"spo2": 1.0, "heart-rate": 1.0, "respiratory-rate": 1.9, "systolic": 2.8, "temperature": 2.8}
    record = [value(key, WELL[key], hours_ago=hours) for key, hours in ago.items()]
    assert ask("NEWS2", person(), *record, *bedside(1.9)).reason == "missing"


@given(st.lists(st.integers(1, 11), min_size=1, max_size=4, unique=True))
def test_the_newest_complete_set_is_taken_whole(hours: list[int]) -> None:
    record = [one for ago in hours for one in [*vitals(ago, heart_rate=str(60 + ago)), *bedside(ago)]]
    given_answer = ask("NEWS2", person(), *record)
    assert given_answer.answer.answered
    assert f"Heart rate {60 + min(hours)} /min" in texts(given_answer)


def test_stale_vitals_are_refused_with_their_last_time() -> None:
    old = [value(key, digits, on="2026-03-02T06:10:00Z") for key, digits in WELL.items()]
    given_answer = ask("NEWS2", person(), *old, *bedside(29.8))
    assert head(given_answer).startswith("No NEWS2: no vitals since 06:10 on 2 March 2026")


def test_what_was_never_recorded_is_named_beside_what_is_stale() -> None:
    old = [value("sodium", "140", hours_ago=9000), value("bicarbonate", "24", hours_ago=9000)]
    given_answer = ask("anion gap", person(), *old)
    assert given_answer.reason == "stale"
    assert "not recorded: chloride" in head(given_answer)


def test_a_missing_vital_sign_is_named_with_its_last_time() -> None:
    record = [one for one in vitals() if "respiratory" not in one["id"]]
    given_answer = ask("NEWS2", person(), *record, value("respiratory-rate", "18", on="2026-03-01T06:10:00Z"))
    assert "respiratory rate (last 06:10 on 1 March 2026 (UTC))" in head(given_answer)
    assert "spo2" not in head(given_answer).lower()


def test_a_newer_value_outside_the_set_is_shown_and_not_used() -> None:
    record = [*vitals(5), *bedside(5), value("heart-rate", "140", hours_ago=0.5)]
    given_answer = ask("NEWS2", person(), *record)
    assert head(given_answer).startswith("NEWS2: 0.")
    assert "Newer and not in this set: Heart rate 140 /min" in texts(given_answer)


def test_two_differing_values_of_one_moment_are_shown_and_nothing_is_calculated() -> None:
    record = [*vitals(), *bedside(), value("heart-rate", "131")]
    given_answer = ask("NEWS2", person(), *record)
    assert given_answer.reason == "conflict"
    assert "Heart rate 72 /min" in texts(given_answer) and "Heart rate 131 /min" in texts(given_answer)


def test_a_vital_sign_without_a_time_of_day_is_not_joined_to_a_timed_one() -> None:
    record = [one for one in vitals() if "heart" not in one["id"]]
    given_answer = ask("NEWS2", person(), *record, *bedside(), value("heart-rate", "72", on="2026-03-03"))
    assert not given_answer.answer.answered
    assert "without a time of day" in head(given_answer)


def test_electrolytes_of_one_date_without_times_are_one_set() -> None:
    dated = [value(key, digits, on="2026-03-02") for key, digits in
             {"sodium": "140", "chloride": "100", "bicarbonate": "24"}.items()]  # fmt: skip
    assert head(ask("anion gap", person(), *dated)).startswith("Anion gap: 16 mmol/L without potassium")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_results_that_do_not_count_are_not_used(status: str) -> None:
    record = [one | ({"status": status} if "heart" in one["id"] else {}) for one in vitals()]
    assert ask("NEWS2", person(), *record, *bedside()).reason == "missing"


def test_urine_creatinine_is_no_serum_creatinine() -> None:
    urine = value("creatinine", "88") | {"code": {"text": "Creatinine [Mass/volume] in Urine"}}
    assert ask("eGFR", person(), urine).reason == "missing"


@given(st.lists(st.tuples(st.sampled_from(sorted(WELL)), st.integers(0, 40)), max_size=12), st.integers(1, 10))
def test_a_set_is_complete_only_within_its_window_and_limit(entries: list[tuple[str, int]], window: int) -> None:
    held = Readings(facts(*(value(key, "50", on=at(quarter / 4)) for key, quarter in entries)), NOW)
    limit = timedelta(hours=6)
    chosen = one_set(held, sorted(WELL), window=timedelta(hours=window), limit=limit)
    times = [one.row.effective_sort for one in chosen.found.values()]
    assert not times or max(times) - min(times) <= timedelta(hours=window)
    assert not times or NOW - max(times) <= limit
    assert set(chosen.missing) == set(WELL) - set(chosen.found)
