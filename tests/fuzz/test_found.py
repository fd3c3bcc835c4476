"""What fuzzing has found, each as a test of its own."""

from __future__ import annotations

import time

import pytest

from ingestion.domain.documents.kinds import HTML, kind_of
from ingestion.domain.documents.lines import tidy
from ingestion.domain.v2.acknowledge import acknowledge
from ingestion.domain.v2.message import parse_message
from ingestion.mllp.judge import judge
from tests.factories import noon


def test_a_row_of_empty_cells_is_tidied_at_once() -> None:
    row = "Potassium" + " | " * 5000 + "4.1" + " | | " * 5000
    begun = time.process_time()

    assert tidy(row) == "Potassium | | 4.1"
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(("count", "kind"), [(19, HTML), (400, "")])
def test_the_kind_of_a_file_of_comments_is_found_at_once(count: int, kind: str) -> None:
    begun = time.process_time()

    assert kind_of(b"<!-- a -->\n" * count + b"<html>") == kind
    assert time.process_time() - begun < 1


def test_a_line_without_a_name_after_the_header_is_not_echoed_to_the_sender() -> None:
    judged = judge(
        b"MSH|^~\\&|APP|WEST|BOXSITE|2026||ADT^A28^ADT_A05|C1|P|2.5.1||||||\nEVN\\|A28|2026\nPID|1||1^^^W^MR\n",
        production_only=False,
    )

    reply = acknowledge(
        judged.message, judged.verdict, now=noon(), control_id="1", reason=judged.reason, place=judged.place
    )

    assert reply.message is not None
    read = parse_message(reply.message.encode())
    assert [one.name for one in read.segments] == ["MSH", "MSA", "ERR"]
    assert read.header.get(18) == ""


def test_a_letter_is_no_delimiter() -> None:
    judged = judge(b"MSH^A01|^~\\&|APP|WEST|BOX|SITE|2026||ADT^A28^ADT_A05|C1|P|2.5.1\r", production_only=False)

    assert (judged.verdict, judged.reason, judged.place) == ("R", "bad-delimiters", "MSH-2")
