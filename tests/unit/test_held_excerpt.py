"""Where a held item stands in its original."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.held.excerpt import find

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = (
    b"MSH|^~\\&|A\rPID|1\rOBX|1|NM|x\rOBX|2|NM|y\r"  # two messages, glued as files have them
    b"MSH|^~\\&|B\rPID|2\rOBX|1|TX|MSH is named here\r"
)


def at(content: bytes, position: str) -> bytes:
    span = find(content, position)
    assert span is not None
    return content[span[0] : span[1]]


@given(st.lists(PLAIN, min_size=1, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_each_entry_of_a_bundle_is_found_even_among_equal_ones(
    entries: list[Any], indent: int | None, bom: bool
) -> None:
    shown = json.dumps({"resourceType": "Bundle", "text": entries, "entry": entries}, indent=indent)
    content = (b"\xef\xbb\xbf" if bom else b"") + shown.encode()
    ends: list[int] = []
    began = content.index(b'"entry"')
    for number, entry in enumerate(entries):
        span = find(content, f"entry[{number}]")
        assert span is not None
        assert json.loads(content[span[0] : span[1]]) == entry
        assert span[0] >= max([began, *ends])
        ends.append(span[1])


def test_an_entry_of_a_bundle_inside_a_bundle_is_found() -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": {"id": "a"}}, {"resource": {"id": "b"}}]}
    content = json.dumps({"resourceType": "Bundle", "entry": [{"resource": inner}]}).encode()

    assert json.loads(at(content, "entry[0].entry[1]"))["resource"] == {"id": "b"}


def test_a_line_is_found_and_an_entry_within_it() -> None:
    bundle = json.dumps({"resourceType": "Bundle", "entry": [{"resource": {"id": "a"}}]}).encode()
    content = b'{"id": "1"}\r\n\n' + bundle + b"\n"

    assert at(content, "line 1").strip() == b'{"id": "1"}'
    assert at(content, "line 3") == bundle
    assert at(content, "line 3 entry[0]") == b'{"resource": {"id": "a"}}'


@pytest.mark.parametrize(
    ("position", "words"),
    [
        ("message 1 OBX[4]", b"OBX|2|NM|y"),
        ("message 2 PID[2]", b"PID|2"),
        ("message 2 MRG(1)", MESSAGES[MESSAGES.index(b"MSH|^~\\&|B") :]),
        ("message 1 OBX[2]", MESSAGES[: MESSAGES.index(b"MSH|^~\\&|B")]),
        ("message 1", MESSAGES[: MESSAGES.index(b"MSH|^~\\&|B")]),
    ],
)
def test_a_segment_of_a_message_is_found_or_else_the_message(position: str, words: bytes) -> None:
    assert at(MESSAGES, position) == words
    assert at(b"\xef\xbb\xbf" + MESSAGES, position).removeprefix(b"\xef\xbb\xbf") == words


@pytest.mark.parametrize(
    ("content", "position"),
    [
        (b"{}", "line 7"),
        (MESSAGES, "message 3"),
        (b"%PDF", "page 4"),
        (b"x" * 30_000, ""),
        (b"{}", "section[3] 11450-4"),
    ],
)
def test_a_place_that_cannot_be_followed_is_said_to_be_so(content: bytes, position: str) -> None:
    assert find(content, position) is None


def test_an_entry_that_is_not_there_leaves_the_document() -> None:
    assert at(b'{"entry": []}', "entry[4]") == b'{"entry": []}'
    assert at(b"{broken", "entry[0]") == b"{broken"


@given(st.binary(max_size=300), st.text(max_size=20) | st.sampled_from(["entry[0]", "line 2", "message 1 OBX[1]"]))
def test_no_bytes_and_no_position_break_it(content: bytes, position: str) -> None:
    span = find(content, position)

    assert span is None or 0 <= span[0] <= span[1] <= len(content)
