"""The words of DOCX: what a reader sees on paper, in its order, and nothing else."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.documents.docx import read_docx
from ingestion.domain.documents.extracted import ExtractionError
from tests.documents import docx, paragraph, wordml

CELL = "<w:tc>{}</w:tc>"


def words(body: str, **parts: str | bytes) -> str:
    [page] = read_docx(docx(body, **parts)).pages
    return page.text


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(CELL.format(paragraph(cell)) for cell in cells) + "</w:tr>"


def test_paragraphs_are_lines_and_runs_are_joined() -> None:
    body = paragraph("Potas", "sium 4.1") + paragraph(
        "Plan:", "<w:r><w:tab/><w:t>rest</w:t><w:br/><w:t>diet</w:t></w:r>"
    )

    assert words(body) == "Potassium 4.1\nPlan: rest\ndiet"


def test_a_table_row_is_a_line_with_its_cells_apart() -> None:
    two = CELL.format(paragraph("75 mg") + paragraph("daily"))

    assert words(f"<w:tbl>{row('Drug', 'Dose')}<w:tr>{CELL.format(paragraph('Aspirin'))}{two}</w:tr></w:tbl>") == (
        "Drug | Dose\nAspirin | 75 mg daily"
    )


@pytest.mark.parametrize(
    "gone",
    [
        "<w:del><w:r><w:delText>75 mg</w:delText></w:r></w:del>",
        "<w:moveFrom><w:r><w:t>75 mg</w:t></w:r></w:moveFrom>",
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>75 mg</w:t></w:r>",
        "<w:r><w:instrText>75 mg</w:instrText></w:r>",
        "<mc:AlternateContent><mc:Fallback><w:r><w:t>75 mg</w:t></w:r></mc:Fallback></mc:AlternateContent>",
    ],
)
def test_what_is_deleted_moved_away_or_hidden_is_no_part_of_the_document(gone: str) -> None:
    assert words(paragraph("Before ", gone, "after")) == "Before after"


def test_a_run_that_is_not_hidden_after_all_is_read() -> None:
    shown = '<w:r><w:rPr><w:vanish w:val="false"/></w:rPr><w:t>75 mg</w:t></w:r>'

    assert words(paragraph("Aspirin ", shown)) == "Aspirin 75 mg"


def test_raised_digits_do_not_become_part_of_a_number() -> None:
    raised = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>{}</w:t></w:r>'

    assert words(paragraph("x10", raised.format("9"), "/L")) == "x10^9/L"
    assert words(paragraph("2", raised.format("nd"), " dose")) == "2nd dose"


def test_headers_come_first_and_notes_and_footers_last_each_once() -> None:
    header = wordml("hdr", paragraph("Clinic A"))

    found = words(
        paragraph("Body"),
        header1=header,
        header2=header,
        footer1=wordml("ftr", paragraph("Draft")),
        footnotes=wordml("footnotes", paragraph("A note")),
    )

    assert found == "Clinic A\n\nBody\n\nA note\n\nDraft"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 and then nothing", "broken-archive"),
        (docx("<w:p>"), "not-xml"),
        (docx(paragraph("x"), header1='<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'), "document-type-declared"),
        (docx("<w:p>" * 300 + "</w:p>" * 300), "nested-too-deep"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(ExtractionError) as caught:
        read_docx(content)

    assert caught.value.reason == reason


def test_another_archive_is_no_docx() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<a/>")

    with pytest.raises(ExtractionError, match="not-docx"):
        read_docx(out.getvalue())


@given(st.integers(0, 900), st.binary(min_size=1, max_size=6))
def test_damaged_bytes_never_fail_otherwise(place: int, junk: bytes) -> None:
    whole = docx(paragraph("Potassium 4.1 mmol/L"))
    with suppress(ExtractionError):
        read_docx(whole[:place] + junk + whole[place + len(junk) :])
