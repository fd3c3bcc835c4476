"""Files of HL7 v2: every message of them, whatever stands around, and what was announced and did not come."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.hl7v2 import Hl7V2
from ingestion.parsers.registry import parse_bytes

HEAD = "MSH|^~\\&|LAB|H|EHR|H|20260301120000||ORU^R01|{number}|P|2.5\r"
PID = "PID|1||{number}^^^H^MR||Test^Tess||19610402|F\r"
ORDER = "OBR|1|A{number}|B{number}|24323-8^Panel^LN|||20260301110000||||||||||||||||||F\r"
RESULT = "OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1|N|||F|||20260301110000\r"


def message(number: int = 1) -> str:
    return (HEAD + PID + ORDER + RESULT).format(number=number)


def items(raw: str | bytes, **context: Any) -> list[Item]:
    return list(parse_bytes(raw.encode() if isinstance(raw, str) else raw, ParseContext(**context), "file"))


def messages(found: list[Item]) -> list[str]:
    """Return the places of the messages that gave a Patient."""
    return [i.position.split(" PID")[0] for i in found if isinstance(i, ResourceItem) and i.resource_type == "Patient"]


def rejected(found: list[Item]) -> list[tuple[str, str, str]]:
    return [(i.position, i.reason, i.detail) for i in found if isinstance(i, RejectedItem)]


def test_a_message_gives_resources_with_segment_and_server() -> None:
    found = items(message())

    assert {i.server for i in found if isinstance(i, ResourceItem)} == {"urn:hl7v2"}
    assert [i.position for i in found if isinstance(i, ResourceItem) and i.resource_type == "Observation"] == [
        "message 1 OBX[4]"
    ]
    assert rejected(found) == []


@pytest.mark.parametrize(
    "joined",
    [
        message(1) + message(2),
        message(1).replace("\r", "\n") + "\n\n" + message(2).replace("\r", "\n"),
        message(1).replace("\r", "\r\n") + "\r\n" + message(2).replace("\r", "\r\n"),
        "\x0b" + message(1) + "\x1c\r\x0b" + message(2) + "\x1c\r",
        "\x0b" + message(1) + "\x0b" + message(2),
        "FHS|^~\\&|A\rBHS|^~\\&|A\r" + message(1) + message(2) + "BTS|2\rFTS|1\r",
        "\ufeff" + message(1) + message(2),
    ],
)
def test_several_messages_of_a_file_are_all_read(joined: str) -> None:
    found = items(joined)

    assert messages(found) == ["message 1", "message 2"]
    assert rejected(found) == []


def test_a_bad_message_does_not_stop_the_others() -> None:
    broken = HEAD.format(number=2) + "OBX|1|NM|x\r"
    other = HEAD.format(number=3).replace("ORU^R01", "ZZZ^Z99") + PID.format(number=3)

    found = items(message(1) + broken + other + message(4))

    assert messages(found) == ["message 1", "message 4"]
    assert rejected(found) == [
        ("message 2", "missing-segment", "PID"),
        ("message 3", "message-type-not-mapped", "ZZZ^Z99"),
    ]


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ("BHS|^~\\&\r{}BTS|3\r", [("BTS", "batch-count-mismatch", "3 announced, 2 came")]),
        (
            "FHS|^~\\&\rBHS|^~\\&\r{}",
            [("end of file", "batch-cut-off", "BTS"), ("end of file", "batch-cut-off", "FTS")],
        ),
        ("FHS|^~\\&\rBHS|^~\\&\r{}BTS|2\rFTS|5\r", [("FTS", "batch-count-mismatch", "5 announced, 1 came")]),
        ("FHS|^~\\&\rBHS|^~\\&\r{}BTS\rFTS\r", []),
    ],
)
def test_what_was_announced_and_did_not_come_is_said(envelope: str, expected: list[tuple[str, str, str]]) -> None:
    found = items(envelope.format(message(1) + message(2)))

    assert len(messages(found)) == 2
    assert rejected(found) == expected


def test_a_type_that_holds_words_is_not_repeated() -> None:
    raw = HEAD.format(number=1).replace("ORU^R01", "Tess Test^born 1961") + PID.format(number=1)

    [(_, reason, detail)] = rejected(items(raw))

    assert (reason, detail) == ("message-type-not-mapped", "")


def test_a_message_over_the_limit_is_refused_and_the_next_is_read() -> None:
    huge = HEAD.format(number=1) + PID.format(number=1) + "NTE|1||" + "x" * 3_000_000 + "\r"

    found = items(huge + message(2), max_resource_bytes=1_000_000)

    assert rejected(found) == [("message 1", "message-too-large", "")]
    assert messages(found) == ["message 2"]


def test_times_without_a_zone_are_in_that_of_the_sender() -> None:
    [result] = [
        json.loads(i.content)
        for i in items(message(), zone="Europe/Berlin")
        if isinstance(i, ResourceItem) and i.resource_type == "Observation"
    ]

    assert result["effectiveDateTime"] == "2026-03-01T11:00:00+01:00"


@given(st.integers(1, 400))
def test_where_the_file_is_cut_into_reads_makes_no_difference(size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _wanted: int | None = -1) -> bytes:
            return super().read(size)

    whole = (message(1) + message(2)).encode()

    assert list(Hl7V2().parse(Slow(whole), "", ParseContext())) == items(whole)


@given(st.binary(max_size=200))
def test_no_bytes_fail_otherwise(junk: bytes) -> None:
    assert isinstance(items(b"MSH|^~\\&|" + junk), list)
