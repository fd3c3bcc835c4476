"""Look-ups over sample records: value, unit, date and cited resource, as worked out from the raw JSON."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from appliance.demo_clinic.build import build
from clinical.domain.facts import Fact
from clinical.domain.projection import project
from clinical.domain.route import CodeAnswer, answer_by_code, route, vocabulary_of
from tests.unit.lookup_cases import Case, lookup_cases

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fhir" / "synthea"
TODAY = date(2026, 9, 1)
LEAST_RIGHT = 0.98


def resources_of(*files: Path) -> list[dict[str, Any]]:
    """Return the resources of bundles, the last version of each."""
    read = [json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal) for file in files]
    kept = {
        (one["resourceType"], one["id"]): one for bundle in read for one in (e["resource"] for e in bundle["entry"])
    }
    return list(kept.values())


def is_right(case: Case, answer: CodeAnswer) -> bool:
    if not case.answerable or not answer.answered:
        return answer.answered == case.answerable
    return all(
        any(
            all(text.lower() in sentence.text.lower() for text in texts)
            and any(fact.resource == resource for fact, _ in sentence.citations_from)
            for sentence in answer.sentences
        )
        for texts, resource in case.expected
    )


def share_right(patients: dict[str, list[dict[str, Any]]]) -> tuple[float, int, Counter[str]]:
    """Return the share of right answers, how many were asked, and the wrong ones by kind."""
    asked, wrong = 0, Counter[str]()
    for name, resources in patients.items():
        facts = [Fact(row, f"{one['resourceType']}/{one['id']}", "1") for one in resources for row in project(one)]
        vocabulary = vocabulary_of(facts)
        for case in lookup_cases(resources, name):
            asked += 1
            found = answer_by_code(route(case.question, vocabulary), facts, today=TODAY)
            wrong[case.kind] += not is_right(case, found)
    return 1 - wrong.total() / asked, asked, wrong


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public sample records are not beside this checkout")
def test_lookups_over_public_records_are_right_in_nearly_all_cases() -> None:
    share, asked, wrong = share_right({file.stem: resources_of(file) for file in sorted(SAMPLES.glob("*.json"))})
    assert asked > 1000
    assert share >= LEAST_RIGHT, wrong


def test_lookups_over_the_demo_clinic_are_right_in_nearly_all_cases(tmp_path: Path) -> None:
    build(tmp_path)
    patients = {}
    for file in sorted((tmp_path / "patients").glob("*.json")):
        later = tmp_path / "updates" / file.name
        patients[file.stem] = resources_of(file, *([later] if later.exists() else []))
    share, asked, wrong = share_right(patients)
    assert asked > 1000
    assert share >= LEAST_RIGHT, wrong
