"""MSH-18: sets that repeat, sets without a codec, and a reply that names the message all the same.

Source: HL7 v2.5.1, 2.15.9.18 (MSH-18) and table 0211.
"""

from __future__ import annotations

import pytest

from ingestion.domain.v2 import V2Error, parse_message
from ingestion.domain.v2.acknowledge import Verdict, acknowledge
from ingestion.mllp.judge import judge
from tests.factories import NOON

HEAD = "MSH|^~\\&|LAB|SITE|APP|WARD|20260301120000||ORU^R01|C42|P|2.5.1||||||{}\r"
NAME = "山田^太郎"


@pytest.mark.parametrize("named", ["ISO IR87", "~ISO IR87", "ASCII~ISO IR87", "ISO IR6~ISO IR87", "ISO IR14~ISO IR87"])
def test_japanese_is_read_whichever_way_its_sets_are_named(named: str) -> None:
    raw = HEAD.format(named).encode() + f"PID|1||7^^^MRN||{NAME}\r".encode("iso2022_jp")
    pid = parse_message(raw).first("PID")
    assert pid is not None
    assert (pid.get(5), pid.get(5, 2)) == ("山田", "太郎")


@pytest.mark.parametrize("named", ["CNS 11643-1992", "NO SUCH SET", "ASCII~NO SUCH SET"])
def test_a_set_that_cannot_be_read_is_refused_for_good_and_the_reply_names_the_message(named: str) -> None:
    raw = HEAD.format(named).encode() + b"PID|1||7^^^MRN||X\r"
    with pytest.raises(V2Error) as refused:
        parse_message(raw)
    assert (refused.value.reason, refused.value.place) == ("unknown-charset", "MSH-18")

    found = judge(raw, production_only=True)
    reply = acknowledge(found.message, found.verdict, now=NOON, control_id="1", reason=found.reason, place=found.place)
    assert found.verdict is Verdict.REJECT
    header, answer, *_ = (reply.message or "").split("\r")
    assert header.split("|")[2:6] == ["APP", "WARD", "LAB", "SITE"]
    assert answer.split("|")[1:3] == ["AR", "C42"]


def test_bytes_that_are_not_in_the_named_set_are_refused_by_name_too() -> None:
    found = judge(HEAD.format("UNICODE UTF-8").encode() + b"PID|1||7^^^MRN||\xff\xfe\r", production_only=True)
    assert found.message is not None
    assert found.message.control_id == "C42"
