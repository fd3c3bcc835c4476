"""The figures of `evaluate`, each against answers made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.evaluation.cases import GoldCase
from clinical.evaluation.scoring import percentile, score
from clinical.evaluation.wording import contains

Json = dict[str, Any]

POTASSIUM = GoldCase(
    "k",
    "amina",
    "latest potassium?",
    answerable=True,
    expect=("5.6",),
    forbid=("4.4",),
    cites=("Observation/k2",),
    route="code",
)
REASON = GoldCase(
    "why",
    "amina",
    "why stopped?",
    answerable=True,
    expect=("ulcer",),
    cites=("DocumentReference/n", "MedicationRequest/m"),
    route="notes",
)
ABSENT = GoldCase("no", "amina", "troponin?", answerable=False, forbid=("0.01",), route="code")


def sentence(text: str, *cites: str, by: str = "code", shown: bool = True) -> Json:
    return {"text": text, "by": by, "shown": shown, "reason": None, "citations": [{"resource": c} for c in cites]}


def answer(*sentences: Json, status: str = "answered", route: str = "code", ms: float = 10.0) -> Json:
    return {"route": route, "status": status, "sentences": list(sentences), "timings_ms": {"total": ms}}


RIGHT = [
    answer(sentence("Potassium 5.6 mmol/L on 11 Aug 2026.", "Observation/k2")),
    answer(sentence("Apixaban stopped: bleeding ulcer.", "DocumentReference/n", "MedicationRequest/m"), route="notes"),
    answer(status="not_documented"),
]
CASES = [POTASSIUM, REASON, ABSENT]


class TestReport:
    def test_right_answers_score_full_marks_under_the_documented_keys(self) -> None:
        report = score(CASES, RIGHT).as_json()

        assert report == {
            "cases": 3,
            "answerable": 2,
            "by_route": {
                "code": {
                    "cases": 2,
                    "answerable": 1,
                    "routed_so": 2,
                    "expect_met": 1,
                    "forbid_violated": 0,
                    "abstention_recall": 1.0,
                    "false_abstention": 0.0,
                },
                "notes": {
                    "cases": 1,
                    "answerable": 1,
                    "routed_so": 1,
                    "expect_met": 1,
                    "forbid_violated": 0,
                    "abstention_recall": None,
                    "false_abstention": 0.0,
                },
            },
            "by_class": {},
            "expect_met": 2,
            "forbid_violated": 0,
            "retrieval_recall": 1.0,
            "citation_precision": 1.0,
            "citation_recall": 1.0,
            "abstention_recall": 1.0,
            "false_abstention": 0.0,
            "latency_ms": {"p50": 10.0, "p95": 10.0},
            "model": {"shown": 0, "withheld": 0},
            "failures": [],
        }

    def test_a_withheld_sentence_counts_for_retrieval_and_for_nothing_else(self) -> None:
        hidden = answer(sentence("Potassium 5.6, was 4.4.", "Observation/k2", by="model", shown=False))

        report = score([POTASSIUM], [hidden]).as_json()

        assert (report["retrieval_recall"], report["citation_recall"]) == (1.0, 0.0)
        assert (report["expect_met"], report["forbid_violated"]) == (0, 0)
        assert report["model"] == {"shown": 0, "withheld": 1}
        assert report["failures"] == [{"id": "k", "why": "lacks '5.6'"}]

    @pytest.mark.parametrize("key", ["sources", "evidence"])
    def test_sources_listed_in_the_answer_count_as_retrieved(self, key: str) -> None:
        bare = answer(status="evidence_only") | {
            key: [{"citation": {"resource": "DocumentReference/n"}}, "MedicationRequest/m"]
        }

        assert score([REASON], [bare]).retrieval_recall == 1.0

    def test_a_citation_beyond_the_gold_ones_lowers_precision_once(self) -> None:
        wide = answer(sentence("5.6", "Observation/k2", "Observation/k1"), sentence("again 5.6", "Observation/k1"))

        report = score([POTASSIUM], [wide])

        assert (report.citation_precision, report.citation_recall) == (0.5, 1.0)

    def test_no_precision_is_taken_of_a_case_that_names_only_some_of_what_it_rests_on(self) -> None:
        wide = answer(sentence("5.6", "Observation/k2", "Observation/k1"))

        report = score([replace(POTASSIUM, cites_some=True)], [wide])

        assert (report.citation_precision, report.citation_recall) == (None, 1.0)

    def test_a_resource_that_holds_the_same_answer_is_right_to_cite_and_not_required(self) -> None:
        case = replace(POTASSIUM, also=("Observation/k1",))
        both = answer(sentence("5.6", "Observation/k2", "Observation/k1"))

        assert score([case], [both]).citation_precision == 1.0
        assert score([case], [answer(sentence("5.6", "Observation/k2"))]).citation_recall == 1.0

    def test_a_case_that_states_its_status_is_right_with_that_one_only(self) -> None:
        advice = replace(ABSENT, statuses=("evidence_only",))

        assert score([advice], [answer(status="evidence_only")]).abstention_recall == 1.0
        wrong = score([advice], [answer(status="not_documented")])
        assert wrong.abstention_recall == 0.0
        assert wrong.verdicts[0].why() == "status is not_documented, not evidence_only"

    def test_findings_and_what_was_not_checked_are_expected_like_texts(self) -> None:
        case = replace(ABSENT, findings=("allergies:penicillins",), not_checked=("zarfluxin",), forbid=())
        check: Json = {
            "findings": [{"row": "allergies:penicillins"}],
            "medication_check": {"not_checked": ["Zarfluxin is in no table."]},
        }

        assert score([case], [answer(status="not_documented") | check]).verdicts[0].why() == ""
        bare = score([case], [answer(status="not_documented")]).verdicts[0]
        assert bare.why() == "lacks 'allergies:penicillins'; lacks 'zarfluxin'"

    def test_figures_are_told_by_the_class_a_case_states(self) -> None:
        cases = [replace(POTASSIUM, kind="typo"), replace(ABSENT, kind="absence")]

        found = score(cases, [RIGHT[0], answer(sentence("troponin 0.01", "Observation/t"))]).by_class()

        assert {name: (one["cases"], one["expect_met"]) for name, one in found.items()} == {
            "absence": (1, 0),
            "typo": (1, 1),
        }
        assert (found["absence"]["abstention_recall"], found["absence"]["forbid_violated"]) == (0.0, 1)

    def test_a_version_in_the_citation_does_not_matter(self) -> None:
        assert score([POTASSIUM], [answer(sentence("5.6", "Observation/k2/_history/2"))]).citation_recall == 1.0

    def test_a_forbidden_text_is_a_failure_even_when_the_answer_is_there(self) -> None:
        report = score([POTASSIUM], [answer(sentence("Potassium 4.4, then 5.6.", "Observation/k2"))]).as_json()

        assert (report["expect_met"], report["forbid_violated"]) == (1, 1)
        assert report["failures"] == [{"id": "k", "why": "shows forbidden '4.4'"}]

    @pytest.mark.parametrize("status", ["answered", "evidence_only", "refused"])
    def test_only_not_documented_is_an_abstention(self, status: str) -> None:
        report = score([ABSENT], [answer(status=status)]).as_json()

        assert report["abstention_recall"] == 0.0
        assert report["failures"] == [{"id": "no", "why": f"status is {status}, not not_documented"}]

    def test_abstaining_on_an_answerable_case_is_a_false_abstention(self) -> None:
        silent = answer(sentence("Potassium 5.6", "Observation/k2"), status="not_documented")

        report = score([POTASSIUM], [silent]).as_json()

        assert (report["false_abstention"], report["expect_met"]) == (1.0, 0)
        assert report["failures"][0]["why"] == "abstained although the record holds the answer"

    def test_an_answer_with_absent_keys_is_scored_as_empty(self) -> None:
        report = score([POTASSIUM, ABSENT], [{}, {"status": "not_documented", "sentences": None}]).as_json()

        assert (report["expect_met"], report["abstention_recall"]) == (0, 1.0)
        assert report["latency_ms"] == {"p50": 0.0, "p95": 0.0}

    def test_the_widest_measure_of_time_is_taken(self) -> None:
        stages = {"evidence": 3.0, "draft": 4.5}

        for timings, expected in ((stages, 7.5), (stages | {"total": 9.0}, 9.0), ({"total": 9.0, "whole": 9.5}, 9.5)):
            staged = RIGHT[0] | {"timings_ms": timings}
            assert score([POTASSIUM], [staged]).as_json()["latency_ms"]["p50"] == expected

    def test_as_many_answers_as_cases_are_needed(self) -> None:
        with pytest.raises(ValueError, match="zip"):
            score(CASES, RIGHT[:2])

    def test_no_cases_give_no_ratios(self) -> None:
        report = score([], []).as_json()

        assert report["citation_precision"] is None
        assert report["latency_ms"] == {"p50": None, "p95": None}


WORDS = st.sampled_from(["potassium", "5.6", "4.4", "15.6", "ulcer", "0.01", "mmol/L"])
ANSWERS = st.builds(
    answer,
    st.builds(sentence, WORDS, WORDS, by=st.sampled_from(["code", "quote", "model"]), shown=st.booleans()),
    status=st.sampled_from(["answered", "not_documented", "evidence_only"]),
    ms=st.floats(0, 5000),
)


class TestProperties:
    @given(st.lists(st.tuples(st.sampled_from(CASES), ANSWERS), min_size=1, max_size=12))
    def test_figures_stay_in_range_and_do_not_depend_on_order(self, pairs: list[tuple[GoldCase, Json]]) -> None:
        report = score([case for case, _ in pairs], [result for _, result in pairs]).as_json()
        back = score([case for case, _ in pairs[::-1]], [result for _, result in pairs[::-1]]).as_json()

        ratios = [report[key] for key in report if key.endswith(("recall", "precision", "abstention"))]
        assert all(ratio is None or 0.0 <= ratio <= 1.0 for ratio in ratios)
        assert report["expect_met"] <= report["answerable"] <= report["cases"] == len(pairs)
        assert {key: report[key] for key in report if key != "failures"} == {
            key: back[key] for key in back if key != "failures"
        }

    @given(st.lists(st.floats(0, 1e6), min_size=1))
    def test_percentiles_are_ordered_members(self, values: list[float]) -> None:
        low, high = percentile(values, 50), percentile(values, 95)

        assert low is not None
        assert high is not None
        assert round(min(values), 1) <= low <= high <= round(max(values), 1)

    @given(st.text(alphabet="0123456789.", min_size=1, max_size=6).filter(lambda t: t.strip(".") == t))
    def test_a_number_is_found_between_words_and_not_inside_a_longer_one(self, number: str) -> None:
        assert contains(f"Sodium was {number}, then lower.", number)
        assert not contains(f"Sodium was 1{number}7 then.", number)


class TestWording:
    @pytest.mark.parametrize(
        ("text", "wanted", "found"),
        [
            ("Potassium 5.6 mmol/L.", "5.6", True),
            ("Potassium 15.6", "5.6", False),
            ("Potassium 5.61", "5.6", False),
            ("Ended with 5.6.", "5.6", True),
            ("1,285.6 units", "285.6", False),
            ("112 mmol/L", "12 mmol/L", False),
            ("Troponin T <0.01 ng/mL", "<0.01", True),
            ("Irritable and tired", "irritab", True),
            ("told  her\nto stop", "her to", True),
            ("BP 142/90", "142/90", True),
        ],
    )
    def test_examples(self, text: str, wanted: str, found: bool) -> None:
        assert contains(text, wanted) is found
