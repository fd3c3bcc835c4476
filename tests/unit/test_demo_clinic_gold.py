"""The gold set is right about the clinic: answers are in the record, unanswerable questions are not."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from appliance.demo_clinic import bundles
from appliance.demo_clinic.bundles import record, updates
from appliance.demo_clinic.notes import notes_of
from appliance.demo_clinic.tables import people
from clinical.evaluation.cases import GoldCase, load_cases
from clinical.evaluation.wording import contains

LINES = (Path(__file__).parents[1] / "gold" / "gold.jsonl").read_text("utf-8").splitlines()
CASES = load_cases(LINES)
ROWS: dict[str, dict[str, Any]] = {row["id"]: row for row in map(json.loads, LINES)}
UNANSWERABLE = [case for case in CASES if not case.answerable]
# Advice on a medicine is not the record's to give: such a case expects findings, and nothing need be absent.
ABSENT = {case.case_id: ROWS[case.case_id].get("absent", []) for case in UNANSWERABLE if case.kind != "safety"}
BY_ID = {person["id"]: person for person in people()}


@cache
def sources(patient: str) -> dict[str, str]:
    """Return the readable text of each current resource version and note of a patient."""
    person = BY_ID[patient]
    first = record(person)
    current = {f"{item['resourceType']}/{item['id']}": item for item in first}
    current |= {f"{item['resourceType']}/{item['id']}": item for item in updates(person, first)}
    texts = {reference: " ".join(words(item)) for reference, item in current.items()}
    return texts | {f"DocumentReference/{note.note_id}": note.body for note in notes_of(patient)}


def words(node: Any) -> list[str]:
    """Return the texts and numbers of a resource, a quantity's comparator, value and unit together."""
    if isinstance(node, list):
        return [word for item in node for word in words(item)]
    if not isinstance(node, dict):
        return [str(node)]
    if "value" in node and "system" in node and "code" in node:
        return [f"{node.get('comparator', '')}{node['value']} {node.get('unit', '')}"]
    found = [word for key, item in node.items() if key not in {"meta", "referenceRange"} for word in words(item)]
    if "component" in node:
        found.append("/".join(str(part["valueQuantity"]["value"]) for part in node["component"]))
    return found


def everything(patient: str) -> str:
    return "\n".join(f"{reference} {text}" for reference, text in sources(patient).items())


@cache
def guidelines() -> str:
    """Return the text of all guidelines of the clinic."""
    folder = Path(bundles.__file__).parent / "guidelines"
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.iterdir()))


class TestShape:
    def test_the_first_case_is_about_amina_yusuf(self) -> None:
        assert CASES[0].patient == "amina-yusuf"

    def test_it_is_large_and_a_third_is_not_answerable(self) -> None:
        unanswerable = sum(not case.answerable for case in CASES)

        assert len(CASES) >= 300
        assert 0.32 <= unanswerable / len(CASES) <= 0.37

    def test_every_patient_in_care_and_every_route_is_asked_about(self) -> None:
        # the newly registered patient belongs to nobody's care team in the demo: asking about him is refused
        assert {case.patient for case in CASES} == set(BY_ID) - {"noah-fischer"}
        routes = Counter(case.route for case in CASES if case.answerable)
        assert set(routes) == {"code", "notes", "code+notes"}
        assert min(routes.values()) >= 60
        assert min(Counter(case.route for case in CASES).values()) >= 90

    def test_every_case_says_what_it_tries(self) -> None:
        kinds = Counter(case.kind for case in CASES)

        assert {"paraphrase", "typo", "abbreviation", "negation", "family", "reason", "social", "absence"} <= set(kinds)
        assert "" not in kinds
        assert {case.case_id for case in CASES if case.kind == "absence"} == set(ABSENT)

    def test_no_question_is_asked_twice_of_a_patient(self) -> None:
        assert max(Counter((case.patient, case.question.lower()) for case in CASES).values()) == 1

    def test_unanswerable_cases_name_what_is_absent_and_expect_nothing(self) -> None:
        for case in UNANSWERABLE:
            assert case.expect == case.cites == ()
            if case.case_id in ABSENT:
                assert ABSENT[case.case_id] or ROWS[case.case_id]["none_between"]
            else:
                assert case.findings or case.not_checked

    def test_a_status_of_its_own_is_stated_only_where_the_answer_is_not_plainly_there_or_missing(self) -> None:
        for case in CASES:
            assert set(case.statuses) <= {"refused", "evidence_only", "not_documented"}
            assert not (case.statuses and case.answerable) or case.findings


@pytest.mark.parametrize("case", [c for c in CASES if c.answerable], ids=lambda case: str(case.case_id))
class TestAnswerable:
    def test_what_is_expected_stands_in_the_resources_cited(self, case: GoldCase) -> None:
        held = sources(case.patient)

        row = ROWS[case.case_id]
        computed = row.get("computed", [])
        assert case.expect or case.findings
        assert case.cites or set(case.expect) == set(computed) or case.findings
        assert set(case.cites) <= set(held)
        if case.question.endswith("what meds is she on"):
            held = {reference: text for reference, text in held.items() if reference.startswith("Medication")}
            cited = " ".join(held.values())
        else:
            cited = " ".join(held[reference] for reference in case.cites)
        if case.kind == "guideline":
            cited = guidelines()
            computed = []
        for text in set(case.expect) - set(computed):
            assert contains(cited, text), text

    def test_other_resources_that_may_be_cited_hold_the_same_answer(self, case: GoldCase) -> None:
        held = sources(case.patient)

        assert not set(case.also) & set(case.cites)
        for reference in case.also:
            assert all(contains(held[reference], text) for text in case.expect), reference

    def test_what_is_forbidden_is_not_what_is_expected(self, case: GoldCase) -> None:
        assert not any(contains(text, bad) for text in case.expect for bad in case.forbid)


@pytest.mark.parametrize("case", UNANSWERABLE, ids=lambda case: str(case.case_id))
def test_what_an_unanswerable_question_is_about_is_nowhere_in_the_record(case: GoldCase) -> None:
    held = everything(case.patient)
    row = ROWS[case.case_id]
    for term in ABSENT.get(case.case_id, []):
        assert not re.search(rf"(?<!\w){re.escape(term)}(?!\w)", held, re.IGNORECASE), term
    if "none_between" in row:
        prefix, first, after = row["none_between"]
        days = [day_of(one) for one in sources(case.patient) if one.startswith(prefix)]
        assert not [day for day in days if first <= day and (not after or day < after)]
    assert set(row.get("finding_cites", [])) <= set(sources(case.patient))


def day_of(reference: str) -> str:
    """Return the day at the end of a reference of the clinic, as an ISO date."""
    match = re.search(r"-(\d{4})(\d{2})(\d{2})(?:-\d{4})?$", reference)
    assert match is not None, reference
    return "-".join(match.groups())
