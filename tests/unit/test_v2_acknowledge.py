"""Acknowledgements say what became of the bytes, in the mode the sender asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.acknowledge import Acknowledgement, Verdict, acknowledge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reply(verdict: Verdict, conditions: str = "", **more: str) -> Acknowledgement:
    header = f"MSH|^~\\&|LAB|L1|APP|A1|20260301||ORU^R01|C-7|P|2.5.1|||{conditions}\r"
    return acknowledge(parse_message(header.encode()), verdict, now=NOW, control_id="9", **more)


@pytest.mark.parametrize("verdict", Verdict)
def test_original_mode_answers_with_the_control_id_and_swapped_ends(verdict: Verdict) -> None:
    answer = reply(verdict)

    assert answer.message is not None
    back = parse_message(answer.message.encode())
    msa = back.first("MSA")
    assert msa is not None
    assert (msa.get(1), msa.get(2)) == (f"A{verdict}", "C-7")
    assert [back.header.get(number) for number in (3, 4, 5, 6)] == ["APP", "A1", "LAB", "L1"]
    assert back.type == ("ACK", "R01")


@pytest.mark.parametrize(
    ("conditions", "verdict", "code"),
    [
        ("AL|NE", Verdict.ACCEPT, "CA"),
        ("AL|NE", Verdict.ERROR, "CE"),
        ("ER|NE", Verdict.REJECT, "CR"),
        ("SU|AL", Verdict.ACCEPT, "CA"),
    ],
)
def test_enhanced_mode_answers_that_it_is_stored(conditions: str, verdict: Verdict, code: str) -> None:
    answer = reply(verdict, conditions)

    assert answer.message is not None
    assert f"MSA|{code}|C-7" in answer.message


@pytest.mark.parametrize(
    ("conditions", "verdict"), [("NE|NE", Verdict.ERROR), ("ER|NE", Verdict.ACCEPT), ("SU|NE", Verdict.REJECT)]
)
def test_enhanced_mode_stays_silent_where_none_is_wanted(conditions: str, verdict: Verdict) -> None:
    assert reply(verdict, conditions).message is None


def test_an_error_names_the_place_and_no_value() -> None:
    answer = reply(Verdict.REJECT, reason="missing-field", place="PID-3")

    assert answer.message is not None
    assert "ERR||PID^1^3|101^Required field missing^HL70357|E|missing-field^^L" in answer.message


def test_bytes_without_a_header_are_rejected_in_usual_delimiters() -> None:
    answer = acknowledge(None, Verdict.REJECT, now=NOW, control_id="9", reason="no-header")

    assert answer.message is not None
    assert answer.message.startswith("MSH|^~\\&|")
    assert "MSA|AR|" in answer.message
