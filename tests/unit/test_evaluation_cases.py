"""Reading gold sets and gate pairs: what is taken, and how a bad line is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.evaluation.cases import CaseFileError, GoldCase, load_cases
from clinical.evaluation.gate_pairs import GatePair, load_pairs

CASE = {"id": "a", "patient": "amina", "question": "latest potassium?", "answerable": True}
PAIR = {"id": "p", "evidence": "K 5.6 mmol/L", "sentence": "Potassium was 5.6 mmol/L.", "supported": True}


def line(**changes: object) -> str:
    return json.dumps({key: value for key, value in (CASE | changes).items() if value is not None})


class TestCases:
    def test_a_full_line_becomes_a_case(self) -> None:
        row = line(expect=["5.6"], forbid=["4.4"], cites=["Observation/1"], records=["a.json"], route="code", more=1)

        assert load_cases([row]) == [
            GoldCase(
                "a",
                "amina",
                "latest potassium?",
                answerable=True,
                expect=("5.6",),
                forbid=("4.4",),
                cites=("Observation/1",),
                records=("a.json",),
                route="code",
            )
        ]

    def test_lists_may_be_absent_and_blank_lines_are_passed_over(self) -> None:
        cases = load_cases(["", line(), "  \n"])

        assert [(case.expect, case.forbid, case.cites, case.route) for case in cases] == [((), (), (), "")]

    def test_the_status_that_is_right_may_be_one_or_several(self) -> None:
        one, several, none = load_cases(
            [line(status="refused"), line(id="b", status=["refused", "evidence_only"]), line(id="c")]
        )

        assert one.statuses == ("refused",)
        assert several.statuses == ("refused", "evidence_only")
        assert none.statuses == ()

    @pytest.mark.parametrize(
        ("bad", "reason", "key"),
        [
            ("{", "not-json", ""),
            ("[1]", "not-an-object", ""),
            (line(patient=None), "missing", "patient"),
            (line(question="  "), "empty", "question"),
            (line(answerable="yes"), "wrong-type", "answerable"),
            (line(id=7), "wrong-type", "id"),
            (line(expect="5.6"), "wrong-type", "expect"),
            (line(forbid=[4.4]), "wrong-type", "forbid"),
            (line(expect=[""]), "empty", "expect"),
            (line(id="first"), "duplicate-id", "id"),
        ],
    )
    def test_a_bad_line_is_named_by_number_reason_and_key(self, bad: str, reason: str, key: str) -> None:
        with pytest.raises(CaseFileError) as caught:
            load_cases([line(id="first"), "", bad])

        assert (caught.value.line, caught.value.reason, caught.value.key) == (3, reason, key)
        assert "potassium" not in str(caught.value)

    def test_a_file_without_cases_is_an_error(self) -> None:
        with pytest.raises(CaseFileError, match="no-cases"):
            load_cases(["\n"])

    @given(st.lists(st.text(max_size=40), max_size=5))
    def test_free_text_is_always_a_case_file_error(self, lines: list[str]) -> None:
        # nothing made of free text alone is a case: a case needs an object with its keys
        with pytest.raises(CaseFileError) as caught:
            load_cases(lines)

        assert 0 <= caught.value.line <= len(lines)


class TestPairs:
    def test_a_line_becomes_a_pair(self) -> None:
        assert load_pairs([json.dumps(PAIR)]) == [
            GatePair("p", "K 5.6 mmol/L", "Potassium was 5.6 mmol/L.", supported=True)
        ]

    @pytest.mark.parametrize("key", ["id", "evidence", "sentence", "supported"])
    def test_every_key_is_required(self, key: str) -> None:
        with pytest.raises(CaseFileError) as caught:
            load_pairs([json.dumps({name: value for name, value in PAIR.items() if name != key})])

        assert (caught.value.reason, caught.value.key) == ("missing", key)

    def test_a_file_without_pairs_is_an_error(self) -> None:
        with pytest.raises(CaseFileError, match="no-cases"):
            load_pairs([])
