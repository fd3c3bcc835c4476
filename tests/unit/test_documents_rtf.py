"""The words of RTF: characters of every spelling, tables a row a line, nothing that is hidden or deleted."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.documents.extracted import ExtractionError
from ingestion.domain.documents.rtf import MOST_DEPTH, read_rtf

FONTS = rb"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Times;}{\f2\fcharset2 Symbol;}}{\colortbl;\red0;}"


def words(body: bytes) -> str:
    [page] = read_rtf(rb"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + body + b"}").pages
    return page.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb"Caf\'e9 38 \'b0C", "Café 38 °C"),
        (rb"{\f1 \'cf\'f0}", "Пр"),
        (rb"5 {\f2 m}g", "5 μg"),
        (rb"Hb \u8805?7", "Hb ≥7"),
        (rb"\uc2\u8804\'3c\'3d5", "≤5"),
        (rb"\u-10179?\u-8704?", "\U0001f600"),
        (rb"a\~b\_c \{x\} \\", "a\u00a0b-c {x} \\"),
        (rb"one\par two\line three", "one\ntwo\nthree"),
        (rb"dash\emdash\rquote", "dash\u2014\u2019"),
        (rb"WBC 7.2 x10{\super 9}/L", "WBC 7.2 x10^9/L"),
        (rb"the 2{\super nd} dose", "the 2nd dose"),
        ("Blutdruck süß".encode("cp1252"), "Blutdruck süß"),
    ],
)
def test_every_spelling_of_a_character_is_read(body: bytes, expected: str) -> None:
    assert words(body) == expected


def test_a_table_row_is_a_line_with_its_cells_apart() -> None:
    rows = rb"\trowd Potassium\cell 4.1\cell mmol/L\cell\row\trowd Sodium\cell 138\cell\cell\row"

    assert words(rows) == "Potassium | 4.1 | mmol/L\nSodium | 138"


@pytest.mark.parametrize(
    "hidden",
    [
        rb"{\v 75 mg}", rb"{\deleted 75 mg}", rb"\v 75 mg\v0 ", rb"{\*\unknown 75 mg}", rb"{\info{\title 75 mg}}",
        rb"{\pict\bin5 75 mg}", rb"{\field{\*\fldinst 75 mg}{\fldrslt }}", rb"{\*\bkmkstart 75 mg}",
        rb"{\stylesheet{\s1 75 mg;}}", rb"{\pict 373520206d67}",
    ],
)  # fmt: skip
def test_what_is_hidden_deleted_or_no_text_is_no_part_of_the_document(hidden: bytes) -> None:
    assert words(rb"Before " + hidden + rb"after") == "Before after"


def test_headers_footnotes_and_text_boxes_stand_on_lines_of_their_own() -> None:
    body = (
        rb"{\header Clinic A\par}Letter{\footnote A note}. {\shp{\*\shpinst{\sp{\sn x}{\sv y}}{\shptxt Boxed\par}}}End"
    )

    assert words(body) == "Clinic A\n\nLetter\nA note\n.\nBoxed\n\nEnd"


def test_nesting_is_bounded_and_long_documents_are_read_in_linear_time() -> None:
    with pytest.raises(ExtractionError, match="nested-too-deep"):
        read_rtf(b"{\\rtf1" + b"{" * 100_000)
    assert words(b"{" * (MOST_DEPTH - 2) + b"deep" + b"}" * (MOST_DEPTH - 2)) == "deep"
    begun = time.perf_counter()
    assert len(words(b"word \\b x\\b0\\par\n" * 50_000)) > 300_000
    assert time.perf_counter() - begun < 30


def test_what_is_no_rtf_says_so() -> None:
    with pytest.raises(ExtractionError, match="not-rtf"):
        read_rtf(b"plain")


@given(st.binary(max_size=300))
def test_no_bytes_fail_otherwise(junk: bytes) -> None:
    with suppress(ExtractionError):
        read_rtf(b"{\\rtf1 " + junk)


@given(st.text(st.characters(categories=("L", "N", "P"), exclude_characters="|"), min_size=1, max_size=40))
def test_no_character_is_lost(text: str) -> None:
    units = text.encode("utf-16-le")
    numbers = (int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2))
    body = "".join(f"\\u{number - 0x10000 if number > 0x7FFF else number}?" for number in numbers)

    assert words(b"x" + body.encode()) == "x" + text
