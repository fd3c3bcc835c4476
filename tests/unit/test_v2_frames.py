"""MLLP frames survive whatever the network does to them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.v2.frames import Deframer, FrameTooLongError, frame

MESSAGES = st.lists(
    st.binary(min_size=1, max_size=60).filter(lambda raw: raw.strip() and b"\x0b" not in raw and b"\x1c" not in raw),
    max_size=6,
)


@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_cutting_of_the_stream_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, messages))
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    deframer = Deframer()

    found = [one for start, end in pairwise(places) for one in deframer.feed(stream[start:end])]

    assert found == messages
    assert not deframer.pending


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\x0bMSH|1\r\x1c\r\n\x0bMSH|2\r\x1c\r", [b"MSH|1\r", b"MSH|2\r"]),
        (b"\x0bMSH|1\r\x1c\x0bMSH|2\r\x1c", [b"MSH|1\r", b"MSH|2\r"]),
        (b"\x0bMSH|1\r\x0bMSH|2\r\x1c\r", [b"MSH|1\r", b"MSH|2\r"]),
        (b"\r\n\r\n\x0bMSH|1\r\x1c\r", [b"MSH|1\r"]),
        (b"\x0b\x1c\r\x0bMSH|1\r\x1c\r", [b"MSH|1\r"]),
    ],
    ids=["line ends between", "no carriage return", "end block lost", "line ends before", "empty frame"],
)
def test_sloppy_senders_are_understood(stream: bytes, expected: list[bytes]) -> None:
    assert Deframer().feed(stream) == expected


def test_a_message_without_its_end_block_is_pending() -> None:
    deframer = Deframer()

    assert deframer.feed(b"\x0bMSH|1\rPID|") == []
    assert deframer.pending


def test_bytes_outside_any_frame_are_counted_and_dropped() -> None:
    deframer = Deframer()

    assert deframer.feed(b"GET / HTTP/1.1\r\n\x0bMSH|1\r\x1c\r") == [b"MSH|1\r"]
    assert deframer.noise == len(b"GET / HTTP/1.1")


def test_a_message_over_the_limit_ends_the_connection() -> None:
    with pytest.raises(FrameTooLongError):
        Deframer(limit=10).feed(b"\x0b" + b"x" * 11)
    with pytest.raises(FrameTooLongError):
        Deframer(limit=10).feed(b"\x0b" + b"x" * 11 + b"\x1c\r")
