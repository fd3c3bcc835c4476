"""What matters when a chart is opened: which facts count, for how long, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinical.domain.cds.card import Indicator
from clinical.domain.cds.matters import FORGOTTEN, NEW, OVERDUE, Matter, as_alarms, matters, view_cards
from clinical.domain.provenance import DEMO
from tests.unit.fhir_builders import allergy, facts, observation
from tests.unit.scores_builders import NOW as SCORED_AT
from tests.unit.scores_builders import bedside, person, vitals

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def before(span: timedelta) -> str:
    return (NOW - span).strftime("%Y-%m-%dT%H:%M:%SZ")


def found(*resources: dict[str, Any], now: datetime = NOW) -> list[Matter]:
    return matters(facts(*resources), now=now, trust=DEMO)


def flagged(code: str, age: timedelta = timedelta(hours=2), **more: Any) -> dict[str, Any]:
    coded = [{"coding": [{"code": code}]}]
    return observation("Potassium", "6.9", code="2823-3", on=before(age), interpretation=coded, **more)


@pytest.mark.parametrize("code", ["HH", "LL", "AA"])
def test_a_result_the_record_flags_critical_is_critical(code: str) -> None:
    (one,) = found(flagged(code))
    assert one.indicator is Indicator.CRITICAL


def test_a_result_out_of_range_is_information() -> None:
    (one,) = found(flagged("H"))
    assert (one.indicator, "Potassium" in one.summary) == (Indicator.INFO, True)


def test_old_normal_and_erroneous_results_do_not_matter() -> None:
    assert found(flagged("HH", NEW + timedelta(hours=1))) == []
    assert found(flagged("N")) == []
    assert found(flagged("HH", status="entered-in-error")) == []
    assert found(flagged("HH", -timedelta(days=2))) == []


def test_a_newer_normal_result_ends_it() -> None:
    normal = observation("Potassium", "4.2", code="2823-3", on=before(timedelta(hours=1)))
    assert found(flagged("HH"), normal) == []


def test_a_contradiction_is_a_warning() -> None:
    none_known = allergy("No known allergy") | {
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}], "text": "No known allergy"}
    }
    (one,) = found(allergy("Penicillin"), none_known)
    assert (one.indicator, one.what) == (Indicator.WARNING, "allergy entries contradict each other")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(days=1), "Pending: "),
        (OVERDUE + timedelta(hours=1), "Ordered over 7 days ago, no final result: "),
        (FORGOTTEN + timedelta(days=1), ""),
    ],
)
def test_open_orders_are_pending_overdue_or_forgotten(age: timedelta, words: str) -> None:
    scan = {
        "resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order",
        "code": {"text": "CT head"}, "authoredOn": before(age),
    }  # fmt: skip
    assert [one.summary for one in found(scan)] == ([f"{words}CT head"] if words else [])


def test_a_raised_score_matters_and_a_low_one_does_not() -> None:
    high = vitals(heart_rate="118", respiratory_rate="24", systolic="98")
    (one,) = found(person(), *high, *bedside(), now=SCORED_AT)
    assert (one.is_vital, one.indicator) == (True, Indicator.INFO)
    assert [one.indicator for one in as_alarms([one])] == [Indicator.WARNING]
    assert found(person(), *vitals(), *bedside(), now=SCORED_AT) == []


def test_what_is_recorded_matters_where_oxygen_and_consciousness_are_not() -> None:
    high = vitals(heart_rate="118", respiratory_rate="24", systolic="98")
    (whole,) = found(person(), *high, *bedside(), now=SCORED_AT)
    (part,) = found(person(), *high, now=SCORED_AT)
    assert part.what == whole.what.replace("NEWS2 ", "NEWS2 at least ")
    assert part.is_vital
    assert "air or oxygen" in part.summary
    assert any("Heart rate 118" in line for line in part.lines)
    assert found(person(), *vitals(), now=SCORED_AT) == []


def test_three_points_in_one_parameter_matter_too() -> None:
    (one,) = found(person(), *vitals(heart_rate="135"), *bedside(), now=SCORED_AT)
    assert one.what == "NEWS2 3"


def test_the_gravest_comes_first_and_the_rest_together() -> None:
    scan = {"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order",
            "code": {"text": "CT head"}, "authoredOn": before(timedelta(days=1))}  # fmt: skip
    low = observation("Sodium", "121", code="2951-2", on=before(timedelta(hours=3)),
                      interpretation=[{"coding": [{"code": "L"}]}])  # fmt: skip
    first, second = view_cards(found(scan, low, flagged("HH")))
    assert first.indicator is Indicator.CRITICAL
    assert second.summary.startswith("2 more points: ")
    assert len(second.topics) == 2


def test_a_topic_changes_with_the_version_that_bears_it() -> None:
    (one,) = found(flagged("HH"))
    (other,) = found(flagged("HH") | {"valueQuantity": {"value": "7.1", "unit": "mmol/L"}, "id": "k2"})
    assert one.topic != other.topic
