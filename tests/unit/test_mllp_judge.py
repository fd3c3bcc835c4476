"""What the header says decides whether a message is accepted, asked for again, or refused for good."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.v2.acknowledge import Verdict, acknowledge
from ingestion.mllp.judge import judge
from tests.factories import NOON
from tests.unit.mllp_sender import ADMITTED, MEASURED, message

WHOLE = message(MEASURED, control="C1")
pieces = st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"MSH", b"PID|", b"\x00", b"\xff", b"", b'""'])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a message in which some places hold something else."""
    raw = bytearray(WHOLE)
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(raw)))
        raw[start : start + draw(st.integers(0, 12))] = draw(pieces)
    return bytes(raw)


@given(st.one_of(damaged(), st.binary(max_size=300)))
def test_whatever_comes_is_judged_and_answered(raw: bytes) -> None:
    found = judge(raw, production_only=True)
    reply = acknowledge(found.message, found.verdict, now=NOON, control_id="1", reason=found.reason, place=found.place)

    assert re.fullmatch(r"mllp:[A-Za-z0-9._-]{1,59}", found.feed)
    assert reply.code[1] == found.verdict.value
    if found.verdict is Verdict.ACCEPT:
        assert found.message is not None
        assert found.message.control_id
        assert found.message.processing_id == "P"
    else:
        assert found.reason


@pytest.mark.parametrize(
    ("facility", "feed"),
    [
        ("WEST", "mllp:WEST"),
        ("St. Mary's Ward 7", "mllp:St.-Mary-s-Ward-7"),
        ("", "mllp:APP"),
        ("X" * 99, "mllp:" + "X" * 59),
    ],
)
def test_the_feed_is_named_by_facility_else_by_application(facility: str, feed: str) -> None:
    assert judge(message(facility=facility), production_only=True).feed == feed


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.3.1", "2.5.1", "2.8", "2.9"])
def test_every_version_two_is_accepted(version: str) -> None:
    assert judge(message(version=version), production_only=True).verdict is Verdict.ACCEPT


@pytest.mark.parametrize("processing", ["T", "D", ""])
def test_only_production_is_accepted_where_only_production_counts(processing: str) -> None:
    raw = message(ADMITTED, processing=processing)

    assert judge(raw, production_only=True).verdict is Verdict.REJECT
    assert judge(raw, production_only=False).verdict is Verdict.ACCEPT
