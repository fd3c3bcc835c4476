"""NEWS2, qSOFA and CURB-65 from a record: oxygen, consciousness and the SpO2 scale only as recorded or stated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_builders import concept, condition, observation
from tests.unit.scores_builders import ask, at, bedside, head, person, texts, value, vitals


def oxygen(answer: dict[str, Any], text: str = "Oxygen therapy", code: str = "") -> dict[str, Any]:
    return observation(text, answer, code=code, on=at())


def level(text: str) -> dict[str, Any]:
    return observation("ACVPU level of consciousness", {"valueString": text}, on=at())


ALERT = level("Alert")


@pytest.mark.parametrize(
    ("recorded", "supply", "points"),
    [
        (oxygen({"valueString": "Room air"}), "air", 0),
        (oxygen({"valueString": "Nasal cannula 2 L/min"}), "oxygen", 2),
        (oxygen({"valueBoolean": True}, "Supplemental oxygen"), "oxygen", 2),
        (oxygen({"valueBoolean": False}, "Supplemental oxygen"), "air", 0),
        (observation("Inhaled oxygen flow rate", "6", "L/min", code="3151-8", on=at()), "oxygen", 2),
        (observation("Inhaled oxygen flow rate", "0", "L/min", code="3151-8", on=at()), "air", 0),
        (observation("Inhaled oxygen concentration", "28", "%", code="3150-6", on=at()), "oxygen", 2),
        (observation("Inhaled oxygen concentration", "21", "%", code="3150-6", on=at()), "air", 0),
    ],
)
def test_air_or_oxygen_is_read_as_recorded(recorded: dict[str, Any], supply: str, points: int) -> None:
    given = ask("NEWS2", person(), *vitals(), ALERT, recorded)
    assert head(given).startswith(f"NEWS2: {points}.")
    assert f"Air or oxygen: {supply}" in texts(given)


def test_oxygen_recorded_as_a_component_of_the_saturation_is_read() -> None:
    flow = {"code": concept("Inhaled oxygen flow rate", "3151-8"), "valueQuantity": {"value": 2, "unit": "L/min"}}
    record = [one | ({"component": [flow]} if "spo2" in one["id"] else {}) for one in vitals()]
    assert head(ask("NEWS2", person(), *record, ALERT)).startswith("NEWS2: 2.")


@pytest.mark.parametrize(
    ("recorded", "points"),
    [
        ("Alert", 0),
        ("A", 0),
        ("New confusion", 3),
        ("Confused", 3),
        ("Responds to voice", 3),
        ("P", 3),
        ("Unresponsive", 3),
    ],
)
def test_consciousness_is_read_as_recorded(recorded: str, points: int) -> None:
    given = ask("NEWS2", person(), *vitals(), *bedside(level=recorded))
    assert head(given).startswith(f"NEWS2: {points}.")


@pytest.mark.parametrize("recorded", ["not alert", "drowsy", "Alert, confused at times"])
def test_a_level_that_is_not_clear_is_asked_for(recorded: str) -> None:
    given = ask("NEWS2", person(), *vitals(), *bedside(level=recorded))
    assert given.reason == "judgements"
    assert [one.key for one in given.questions] == ["consciousness"]


def test_what_is_not_recorded_is_asked_for_with_the_exact_words_and_nothing_is_assumed() -> None:
    given = ask("NEWS2", person(), *vitals())
    assert given.reason == "judgements"
    assert given.questions[0].options == ("air", "oxygen")
    assert '"oxygen: air" or "oxygen: oxygen"' in texts(given)
    words = ", ".join(f"{one.words}: {one.options[0]}" for one in given.questions)
    assert head(ask(f"NEWS2, {words}", person(), *vitals())).startswith("NEWS2: 0.")


def test_what_is_stated_counts_and_the_record_is_shown_beside_it() -> None:
    given = ask("NEWS2, oxygen: oxygen", person(), *vitals(), *bedside())
    assert head(given).startswith("NEWS2: 2.")
    assert "as stated in the question" in texts(given)
    assert "The record says: Oxygen therapy Room air" in texts(given)


SCALE_2: list[dict[str, Any]] = [
    observation("SpO2 scale", {"valueString": "Scale 2"}, on="2026-02-01"),
    observation("NEWS2 SpO2 scale 2 in use", {"valueBoolean": True}, on="2026-02-01"),
    observation("Target oxygen saturation", {"valueString": "88-92 %"}, on="2026-02-01"),
    {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "NEWS2 oxygen saturation scale 2"},
     "period": {"start": "2026-02-01"}},
]  # fmt: skip


@pytest.mark.parametrize("recorded", SCALE_2)
def test_spo2_scale_2_is_used_where_it_is_recorded(recorded: dict[str, Any]) -> None:
    record = [*vitals(spo2="89"), *bedside()]
    assert head(ask("NEWS2", person(), *record)).startswith("NEWS2: 3.")
    given = ask("NEWS2", person(), *record, recorded)
    assert head(given).startswith("NEWS2: 0.")
    assert "SpO2 scale 2, as recorded" in texts(given)


def test_copd_alone_does_not_bring_scale_2() -> None:
    given = ask("NEWS2", person(), *vitals(spo2="89"), *bedside(), condition("COPD"))
    assert head(given).startswith("NEWS2: 3.")
    assert "scale 2 is not recorded for this patient" in texts(given)


def test_an_inactive_flag_and_a_later_scale_1_end_scale_2() -> None:
    record = [*vitals(spo2="89"), *bedside()]
    assert head(ask("NEWS2", person(), *record, SCALE_2[3] | {"status": "inactive"})).startswith("NEWS2: 3.")
    later = observation("SpO2 scale", {"valueString": "Scale 1"}, on="2026-02-02")
    assert head(ask("NEWS2", person(), *record, SCALE_2[0], later)).startswith("NEWS2: 3.")


def test_the_bands_are_shown_as_the_source_has_them() -> None:
    assert "Aggregate 0; clinical risk low (unverified)" in head(ask("NEWS2", person(), *vitals(), *bedside()))
    single = ask("NEWS2", person(), *vitals(respiratory_rate="25"), *bedside())
    assert "clinical risk" not in head(single)
    assert "3 points in a single parameter (respiratory rate)" in texts(single)
    ill = vitals(respiratory_rate="25", heart_rate="131", temperature="38.5")
    assert "emergency response threshold" in head(ask("NEWS2", person(), *ill, *bedside()))


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (person(born="2012-05-01"), "not for patients under 16"),
        (person(deceasedBoolean=True), "recorded as deceased"),
    ],
)
def test_news2_is_not_for_children_or_the_dead(who: dict[str, Any], why: str) -> None:
    given = ask("NEWS2", who, *vitals(), *bedside())
    assert given.reason == "not-applicable"
    assert why in head(given)


def test_news2_is_not_for_pregnancy() -> None:
    given = ask("NEWS2", person(born="1995-01-01"), condition("Pregnancy", on="2025-12-01"), *vitals(), *bedside())
    assert given.reason == "not-applicable"
    assert "pregnancy" in head(given)


def test_qsofa_shows_the_advice_against_it_as_the_only_screen_whatever_comes() -> None:
    advice = "advises against qSOFA as the only screening tool"
    record = [value("respiratory-rate", "22"), value("systolic", "100")]
    scored = ask("qSOFA", person(), *record, level("Voice"))
    assert head(scored).startswith("qSOFA: 3.")
    assert advice in texts(scored)
    assert advice in texts(ask("qSOFA", person()))
    assert advice in texts(ask("qSOFA", person(), *record))


@pytest.mark.parametrize(("gcs", "total"), [("15", 0), ("14", 1)])
def test_qsofa_takes_a_glasgow_score_below_15_as_altered(gcs: str, total: int) -> None:
    coma = observation("Glasgow coma score total", gcs, "{score}", code="9269-2", on=at())
    given = ask("qSOFA", person(), value("respiratory-rate", "16"), value("systolic", "120"), coma)
    assert head(given).startswith(f"qSOFA: {total}.")


def test_news2_takes_no_glasgow_score_for_consciousness() -> None:
    coma = observation("Glasgow coma score total", "15", "{score}", code="9269-2", on=at())
    assert ask("NEWS2, oxygen: air", person(), *vitals(), coma).reason == "judgements"


def test_curb65_counts_age_confusion_urea_rate_and_pressure() -> None:
    digits = {"respiratory-rate": "32", "systolic": "118", "diastolic": "58", "urea-nitrogen": "30"}
    record = [value(key, one) for key, one in digits.items()]
    assert head(ask("CURB-65, confusion: yes", person(), *record)).startswith("CURB-65: 5.")
    assert head(ask("CURB-65, confusion: no", person(born="1990-01-01"), *record)).startswith("CURB-65: 3.")
    asked = ask("CURB-65", person(), *record)
    assert asked.reason == "judgements"
    assert [one.words for one in asked.questions] == ["new confusion"]
