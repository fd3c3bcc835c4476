"""Counts against counts, and the lists they are read from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.reconciliation.compare import Difference, compare
from ingestion.reconciliation.expected import ExpectedError, of_counts, of_csv, of_manifest

KEYS = st.tuples(st.sampled_from(["", "p1", "p2", "row 3"]), st.sampled_from(["Observation", "Condition"]))
COUNTS = st.dictionaries(KEYS, st.integers(0, 1000))


def searchset(url: str, total: int | None = 3, **more: Any) -> dict[str, Any]:
    link = [{"relation": "self", "url": url}]
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "link": link} | more


class TestComparison:
    def test_missing_and_extra_are_named_apart_the_greatest_first(self) -> None:
        found = compare(
            {("p1", "Observation"): 10, ("p2", "Observation"): 5, ("p1", "Condition"): 2},
            {("p1", "Observation"): 4, ("p2", "Observation"): 5, ("p1", "Condition"): 3},
            {"Observation": 6, "Condition": 1},
        )

        assert found.differences == (
            Difference("p1", "Observation", 10, 4, held_back=6),
            Difference("p1", "Condition", 2, 3),
        )
        assert [(one.missing, one.extra) for one in found.differences] == [(6, 0), (0, 1)]
        assert (found.expected, found.held, found.matched, found.missing, found.compared) == (17, 12, 11, 6, 3)

    def test_too_many_of_one_do_not_make_up_for_too_few_of_another(self) -> None:
        found = compare({("", "A"): 5, ("", "B"): 5}, {("", "A"): 10}, {})

        assert found.expected == found.held
        assert found.missing == 5

    @given(COUNTS, COUNTS)
    def test_it_is_complete_exactly_when_nothing_is_missing(
        self, expected: dict[tuple[str, str], int], held: dict[tuple[str, str], int]
    ) -> None:
        found = compare(expected, held, {})

        assert found.missing == sum(one.missing for one in found.differences)
        assert sum(held.values()) == found.matched + sum(one.extra for one in found.differences)
        assert (not found.differences) == all(expected.get(key, 0) == held.get(key, 0) for key in expected | held)

    @given(COUNTS)
    def test_equal_counts_do_not_differ(self, counts: dict[tuple[str, str], int]) -> None:
        assert compare(counts, dict(counts), {"Observation": 9}).differences == ()


class TestManifest:
    def test_files_of_one_type_count_together(self) -> None:
        files = [{"type": "Patient", "url": "a", "count": 2}, {"type": "Condition", "url": "b", "count": 7}]
        files.append({"type": "Patient", "url": "c", "count": 3})

        found = of_manifest(json.dumps({"transactionTime": "2026-01-01T00:00:00Z", "output": files, "error": []}))

        assert [(one.patient, one.resource_type, one.count) for one in found] == [
            ("", "Condition", 7),
            ("", "Patient", 5),
        ]

    @pytest.mark.parametrize(
        ("text", "reason", "place"),
        [
            ("{", "not-json", "file"),
            ("[" * 100_000, "not-json", "file"),
            ("[]", "not-a-manifest", "output"),
            ('{"output": 4}', "not-a-manifest", "output"),
            ('{"output": [7]}', "not-a-manifest", "output[0]"),
            ('{"output": [{"type": "Patient", "url": "x"}]}', "no-count", "output[0].count"),
            ('{"output": [{"type": "Patient", "count": -1}]}', "no-count", "output[0].count"),
            ('{"output": [{"type": "Patient", "count": true}]}', "no-count", "output[0].count"),
            ('{"output": [{"type": "patient", "count": 1}]}', "no-resource-type", "output[0].type"),
        ],
    )
    def test_what_is_none_is_refused_with_the_place(self, text: str, reason: str, place: str) -> None:
        with pytest.raises(ExpectedError) as refused:
            of_manifest(text)
        assert (refused.value.reason, refused.value.place) == (reason, place)


class TestSearchTotals:
    def test_the_self_link_says_what_was_counted(self) -> None:
        bundles = [
            searchset("https://ehr.local/fhir/Observation?patient=Patient/17&_summary=count", 30),
            searchset("Condition?subject=17&_summary=count&_total=accurate", 4),
            searchset("https://ehr.local/fhir/Patient?_id=17&_summary=count", 1),
            searchset("https://ehr.local/fhir/Encounter/?_summary=count", 9),
        ]

        assert [(one.patient, one.resource_type, one.count, one.row) for one in of_counts(json.dumps(bundles))] == [
            ("17", "Observation", 30, 1),
            ("17", "Condition", 4, 2),
            ("17", "Patient", 1, 3),
            ("", "Encounter", 9, 4),
        ]

    def test_they_may_stand_in_a_batch_response(self) -> None:
        batch = {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [{"resource": searchset("Observation?patient=1")}, {"response": {"status": "404"}}],
        }

        assert [one.resource_type for one in of_counts(json.dumps(batch))] == ["Observation"]

    def test_plain_totals_by_type_are_read(self) -> None:
        assert [(one.resource_type, one.count) for one in of_counts('{"Observation": 3, "Condition": 0}')] == [
            ("Condition", 0),
            ("Observation", 3),
        ]

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            (searchset("Observation?patient=1", None), "no-count"),
            (searchset("Observation?patient=1", link=[]), "no-self-link"),
            (searchset("Observation?patient=1&status=final"), "narrowed-search"),
            (searchset("?patient=1"), "no-resource-type"),
            ([], "not-a-search-total"),
            ({"resourceType": "Observation"}, "not-a-search-total"),
        ],
    )
    def test_a_total_that_cannot_be_compared_is_refused(self, found: object, reason: str) -> None:
        with pytest.raises(ExpectedError) as refused:
            of_counts(json.dumps(found))
        assert refused.value.reason == reason


class TestCsv:
    @pytest.mark.parametrize("mark", [",", ";", "\t"])
    def test_rows_of_one_patient_and_type_count_together(self, mark: str) -> None:
        rows = [
            ["patient", "type", "count"],
            ["17", "Observation", "3"],
            [],
            ["Patient/17", "Observation", "4"],
            ["urn:x|9", "Condition", "1"],
        ]
        text = "\ufeff" + "\r\n".join(mark.join(row) for row in rows)

        assert [(one.patient, one.resource_type, one.count, one.row) for one in of_csv(text)] == [
            ("17", "Observation", 7, 2),
            ("urn:x|9", "Condition", 1, 5),
        ]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("17,Observation", "three-columns-needed"),
            (",Observation,4", "three-columns-needed"),
            ("17,Observation,many", "no-count"),
            ("17,Observation,-4", "no-count"),
            ("17,obs,4", "no-resource-type"),
        ],
    )
    def test_a_bad_row_is_refused_by_its_number_alone(self, row: str, reason: str) -> None:
        with pytest.raises(ExpectedError) as refused:
            of_csv(f"patient,type,count\n1,Patient,1\n{row}\n")
        assert (refused.value.reason, refused.value.place) == (reason, "row 3")
        assert "17" not in str(refused.value)
