"""What is due is computed from birth date and doses; what the schedule cannot decide is said to be so."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical.domain.facts import Fact
from clinical.domain.facts.immunization_schedule import DoseState, due, rows
from clinical.domain.provenance import SourceStatus, Trust, row_digest
from tests.unit.fhir_builders import concept, facts

TODAY = date(2026, 9, 1)


def _person(born: str, *doses: tuple[str, str], status: str = "completed") -> list[Fact]:
    given: list[dict[str, Any]] = [
        {
            "resourceType": "Immunization", "id": f"{cvx}-{on}", "status": status, "occurrenceDateTime": on,
            "vaccineCode": concept(f"vaccine {cvx}", cvx, "http://hl7.org/fhir/sid/cvx"),
        }
        for cvx, on in doses
    ]  # fmt: skip
    return facts({"resourceType": "Patient", "id": "p", "name": [{"family": "X"}], "birthDate": born}, *given)


def state(held: list[Fact], name: str, trust: Trust | None = None) -> DoseState:
    found = due(held, today=TODAY, trust=trust) if trust else due(held, today=TODAY)
    return next(one.state for one in found if one.name.startswith(name))


@pytest.mark.parametrize(
    ("born", "doses", "vaccine", "expected"),
    [
        ("2025-03-11", [("20", "2025-05-13"), ("20", "2025-07-15"), ("20", "2025-09-16")], "Diphtheria", DoseState.DUE),
        ("2026-07-20", [], "Diphtheria", DoseState.LATER),
        ("2025-03-11", [("03", "2026-03-17")], "Measles", DoseState.UP_TO_DATE),
        ("1958-04-12", [("140", "2025-10-07")], "Influenza", DoseState.UP_TO_DATE),
        ("1958-04-12", [("140", "2025-08-07")], "Influenza", DoseState.DUE),
        ("1958-04-12", [("113", "2016-09-02")], "Tetanus", DoseState.UP_TO_DATE),
        ("1958-04-12", [("113", "2016-08-31")], "Tetanus", DoseState.DUE),
        ("1958-04-12", [("187", "2024-01-01"), ("187", "2024-04-01")], "Shingles", DoseState.UP_TO_DATE),
        ("1958-04-12", [("121", "2015-01-01")], "Shingles", DoseState.UNDECIDED),
        ("1958-04-12", [("33", "2023-11-02")], "Pneumococcal", DoseState.UNDECIDED),
        ("1951-08", [], "Respiratory", DoseState.DUE),
        ("1951", [], "Respiratory", DoseState.UNDECIDED),
        ("", [], "Influenza", DoseState.UNDECIDED),
        ("1990-01-01", [], "COVID-19", DoseState.UNDECIDED),
    ],
)
def test_doses_and_age_decide(born: str, doses: list[tuple[str, str]], vaccine: str, expected: DoseState) -> None:
    assert state(_person(born, *doses), vaccine) is expected


def test_a_dose_that_was_not_given_counts_for_nothing() -> None:
    assert state(_person("2025-03-11", ("03", "2026-03-17"), status="not-done"), "Measles") is DoseState.DUE


def test_a_site_uses_a_row_from_memory_only_once_approved() -> None:
    row = next(row for _, row, _ in rows() if row["id"] == "zoster")
    held = _person("1958-04-12")
    assert state(held, "Shingles", Trust(site=True)) is DoseState.UNDECIDED
    approved = Trust(site=True, approved=frozenset({row_digest("schedule/series", row)}))
    assert state(held, "Shingles", approved) is DoseState.DUE


def test_every_row_names_its_source_and_edition() -> None:
    assert all(source.source and source.edition for _, _, source in rows())
    assert {source.status for _, _, source in rows()} <= set(SourceStatus)
