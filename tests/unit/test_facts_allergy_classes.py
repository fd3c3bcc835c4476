"""An allergy bears on drugs of the same kind, not on all that serve the same use."""

from __future__ import annotations

import pytest

from clinical.domain.facts import Fact
from clinical.domain.facts.allergies import matches_substance
from clinical.domain.projection import project


def allergy(name: str) -> Fact:
    [row] = project(
        {
            "resourceType": "AllergyIntolerance",
            "id": "a",
            "code": {"text": name},
            "patient": {"reference": "Patient/p"},
        },
        {},
    )
    return Fact(row, "AllergyIntolerance/a", "1")


@pytest.mark.parametrize(
    ("recorded", "asked", "expected"),
    [
        ("Penicillin", "amoxicillin", "class"),
        ("Aspirin", "ibuprofen", "class"),
        ("Morphine", "codeine", "class"),
        ("Allergy to antibiotics", "amoxicillin", "class"),
        ("Amoxicillin", "amoxicillin", "same"),
        ("Codeine", "ibuprofen", ""),
        ("Sertraline", "amitriptyline", ""),
        ("Lisinopril", "losartan", ""),
        ("Trimethoprim", "amoxicillin", ""),
    ],
)
def test_what_an_allergy_bears_on(recorded: str, asked: str, expected: str) -> None:
    assert matches_substance(allergy(recorded), asked) == expected
