"""ER7 text as segments, fields and values."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.v2 import V2Error, parse_message
from ingestion.domain.v2.times import date_time, day_of

LONDON = ZoneInfo("Europe/London")
HEADER = "MSH|^~\\&|LAB|SITE|APP|SITE|20260301120000||ORU^R01^ORU_R01|42|P|2.5.1"


def message(*lines: str, end: str = "\r", header: str = HEADER) -> bytes:
    return end.join((header, *lines, "")).encode()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_each_line_end_ends_a_segment(end: str) -> None:
    parsed = parse_message(message("PID|1||7^^^MRN", "OBX|1|NM|K^Potassium||4.1", end=end))

    assert [segment.name for segment in parsed.segments] == ["MSH", "PID", "OBX"]
    assert parsed.type == ("ORU", "R01")
    assert (parsed.control_id, parsed.processing_id, parsed.version) == ("42", "P", "2.5.1")


def test_a_line_broken_inside_a_field_belongs_to_its_segment() -> None:
    parsed = parse_message(message("OBX|1|TX|N||first line", "and a second|||F", end="\n"))

    [found] = parsed.all("OBX")
    assert found.get(5) == "first line\nand a second"


def test_offsets_count_in_the_decoded_text() -> None:
    parsed = parse_message(message("PID|1||7||Müller^Zoë", "PV1|1|I"))

    for segment in parsed.segments:
        assert parsed.text[segment.start :].startswith(segment.text)


def test_other_delimiters_than_the_usual_are_read_from_the_header() -> None:
    parsed = parse_message(b"MSH#*!?%#LAB#S#A#S#2026##ADT*A01#7#P#2.3\rPID#1##9*x%y!8\r")

    pid = parsed.first("PID")
    assert pid is not None
    assert parsed.type == ("ADT", "A01")
    assert (pid.get(3), pid.get(3, 2, 2), pid.get(3, repetition=2)) == ("9", "y", "8")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (r"R\T\D", "R&D"),
        (r"a\F\b\S\c\R\d\E\e", r"a|b^c~d\e"),
        (r"one\.br\two", "one\ntwo"),
        (r"\H\bold\N\ text", "bold text"),
        (r"caf\XC3A9\ ", "café"),
        (r"50\Q\mg", r"50\Q\mg"),
    ],
)
def test_escapes_are_resolved(raw: str, expected: str) -> None:
    [found] = parse_message(message(f"OBX|1|TX|N||{raw}")).all("OBX")

    assert found.get(5) == expected


def test_an_explicit_null_is_not_silence() -> None:
    pid = parse_message(message('PID|1||7||""|')).first("PID")

    assert pid is not None
    assert pid.is_null(5)
    assert not pid.is_null(6)
    assert pid.get(5) == ""


@pytest.mark.parametrize(
    ("named", "codec"), [("8859/1", "iso8859-1"), ("UNICODE UTF-8", "utf-8"), ("8859/15", "iso8859-15")]
)
def test_the_character_set_of_the_header_decodes_the_message(named: str, codec: str) -> None:
    raw = f"{HEADER}||||||{named}\rPID|1||7||Müller\r".encode(codec)

    pid = parse_message(raw).first("PID")
    assert pid is not None
    assert pid.get(5) == "Müller"


def test_without_a_named_set_windows_bytes_are_still_read() -> None:
    pid = parse_message(f"{HEADER}\rPID|1||7||Müller\r".encode("cp1252")).first("PID")

    assert pid is not None
    assert pid.get(5) == "Müller"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no-header"),
        (b"PID|1||7\r", "no-header"),
        (b"MSH|", "no-header"),
        (b"MSH|^^^^|A|B|C|D|2026||ADT^A01|1|P|2.5\r", "bad-delimiters"),
        (f"{HEADER}||||||KLINGON\r".encode(), "unknown-charset"),
        (f"{HEADER}||||||UNICODE UTF-8\r".encode() + b"PID|\xff\xfe\r", "unknown-charset"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(V2Error) as caught:
        parse_message(raw)

    assert caught.value.reason == reason


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_otherwise(tail: bytes) -> None:
    try:
        parsed = parse_message(HEADER.encode() + b"\r" + tail)
    except V2Error:
        return
    for segment in parsed.segments:
        segment.get(3, 2, 2)
        segment.whole(5)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2021", "2021"),
        ("202108", "2021-08"),
        ("20210801", "2021-08-01"),
        ("2021080109", "2021-08-01"),
        ("202108010906", "2021-08-01T09:06:00+01:00"),
        ("20210101090642", "2021-01-01T09:06:42Z"),
        ("20210801090642.123+0215", "2021-08-01T09:06:42.123+02:15"),
        ("20211301", ""),
        ("20210230", ""),
        ("soon", ""),
        ("", ""),
    ],
)
def test_times_keep_their_precision(sent: str, expected: str) -> None:
    assert date_time(sent, LONDON) == expected


def test_a_birth_date_is_a_day() -> None:
    assert day_of("19300122000000+0215") == "1930-01-22"
