"""The measure of what a summary leaves out, and the summary held to it."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical.domain.summary import compose
from clinical.evaluation.omission import Item, Kind, Recall, Shown, items_of, measure, total
from tests.unit.fhir_builders import allergy, concept, condition, facts, medication, observation

TODAY = date(2026, 3, 1)
SYNTHEA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fhir" / "synthea"
DAYS = st.dates(min_value=date(2015, 1, 1), max_value=TODAY).map(date.isoformat)
CLINICAL = st.sampled_from(["active", "recurrence", "relapse", "resolved", "inactive", "remission"])


def summary_of(resources: list[dict[str, Any]]) -> list[Shown]:
    lines = compose(facts(*resources), today=TODAY)
    return [Shown(line.text, frozenset(fact.resource for fact, _ in line.places)) for line in lines]


def named(resource: dict[str, Any], number: int) -> dict[str, Any]:
    return resource | {"id": f"{resource['resourceType'].lower()}-{number}"}


RESOURCES = st.one_of(
    st.builds(
        allergy, st.sampled_from(["Penicillin", "Peanut", "Latex", "No known allergies"]),
        verification=st.sampled_from(["confirmed", "unconfirmed", "refuted", "entered-in-error"]), clinical=CLINICAL,
    ),
    st.builds(
        condition,
        st.sampled_from(["Gout", "Heart failure", "Stress (finding)", "Viral sinusitis (disorder)", "Xyzitis"]),
        clinical=CLINICAL, on=DAYS,
    ),
    st.builds(
        medication,
        st.sampled_from(["Apixaban 5 MG Oral Tablet", "insulin glargine", "loratadine", "Digoxin", "morphine"]),
        status=st.sampled_from(["active", "on-hold", "stopped", "completed", "cancelled", "unknown", "draft"]), on=DAYS,
    ),
    st.builds(
        lambda name, value, day, flag, status: observation(
            name[0], value, code=name[1], on=day, status=status, interpretation=[{"coding": [{"code": flag}]}]
        ),
        st.sampled_from([("Sodium", "2951-2"), ("Potassium", "2823-3"), ("Zinc", "5763-8")]),
        st.integers(1, 200).map(str), DAYS, st.sampled_from(["H", "L", "N", "HH", "A"]),
        st.sampled_from(["final", "preliminary", "corrected", "cancelled"]),
    ),
    st.builds(
        lambda status, name: {"resourceType": "ServiceRequest", "id": "x", "status": status, "intent": "order",
                              "code": concept(name), "authoredOn": "2026-01-01"},
        st.sampled_from(["active", "on-hold", "completed", "revoked"]),
        st.sampled_from(["MRI head", "Do not resuscitate"]),
    ),
    st.builds(
        lambda status: {"resourceType": "DiagnosticReport", "id": "x", "status": status, "code": concept("Culture")},
        st.sampled_from(["registered", "partial", "preliminary", "final"]),
    ),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(RESOURCES, max_size=25))
def test_nothing_of_the_must_have_classes_is_left_out_of_any_record(made: list[dict[str, Any]]) -> None:
    resources = [named(resource, number) for number, resource in enumerate(made)]

    recall = measure(items_of(resources, today=TODAY), summary_of(resources))

    assert recall.missed == ()


class TestTheMeasure:
    def test_sees_an_item_whose_line_is_taken_away(self) -> None:
        resources = [allergy("Penicillin"), condition("Gout"), medication("warfarin 5 mg")]
        lines = summary_of(resources)
        items = list(items_of(resources, today=TODAY))

        assert {item.kind for item in items} == {Kind.ALLERGY, Kind.PROBLEM, Kind.MEDICINE, Kind.HIGH_RISK}
        for item in items:
            left = [line for line in lines if item.resource not in line.resources]
            assert item in measure(items, left).missed

    def test_a_line_that_cites_without_naming_shows_nothing(self) -> None:
        item = Item(Kind.ALLERGY, "AllergyIntolerance/a", "Penicillin")

        assert measure([item], [Shown("3 allergies.", frozenset({item.resource}))]).missed == (item,)
        assert measure([item], [Shown("Penicillin.", frozenset({"AllergyIntolerance/b"}))]).missed == (item,)

    def test_a_high_risk_drug_has_to_be_marked(self) -> None:
        item = Item(Kind.HIGH_RISK, "MedicationRequest/w", "warfarin")
        places = frozenset({item.resource})

        assert measure([item], [Shown("warfarin: ordered", places)]).missed == (item,)
        assert measure([item], [Shown("High-risk (anticoagulant): warfarin", places)]).missed == ()

    def test_what_ended_or_was_an_error_is_no_item(self) -> None:
        resources = [
            condition("Gout", clinical="resolved"),
            condition("Asthma", abatementDateTime="2020"),
            medication("warfarin", status="entered-in-error"),
            medication("digoxin", dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2025-01-01"}}}}]),
            allergy("Latex", clinical="resolved"),
        ]

        assert list(items_of(resources, today=TODAY)) == []

    def test_counts_of_patients_add_up(self) -> None:
        item = Item(Kind.PROBLEM, "Condition/g", "Gout")
        shown = measure([item], [Shown("Gout: active", frozenset({"Condition/g"}))])
        missed = measure([item], [])

        whole: Recall = total([shown, missed])

        assert whole.of(Kind.PROBLEM) == 0.5
        assert whole.of(Kind.ALLERGY) is None


class TestTheCommand:
    def test_recalls_at_least_ninety_nine_per_cent_of_each_class_over_the_synthetic_clinic(self) -> None:
        out = StringIO()

        call_command("omission", "--json", stdout=out)

        report = json.loads(out.getvalue())
        assert report["patients"] == 30
        for row in report["classes"].values():
            assert row["held"] > 0
            assert row["recall"] >= 0.99

    def test_and_over_public_synthetic_records(self) -> None:
        if not SYNTHEA.is_dir():
            pytest.skip("the public test data is not here")
        out = StringIO()

        call_command("omission", SYNTHEA, "--json", stdout=out)

        report = json.loads(out.getvalue())
        assert report["patients"] == len(list(SYNTHEA.glob("*.json")))
        assert report["classes"]["active problems"]["held"] > 0
        assert report["missed"] == []
