"""Guidelines need provenance; their sections cover the text; nothing undeclared becomes one."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pypdfium2
import pytest

from clinical.domain.guideline import GuidelineDocument
from ingestion.domain.items import GuidelineItem, Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes
from tests.documents import docx, paragraph

DECLARED = {
    "title": "Asthma in adults", "edition": "3", "source": "Clinic board", "approver": "Dr Chen",
    "jurisdiction": "Clinic", "expires": "2027-12-31",
}  # fmt: skip
BODY = (
    "Preface.\n\n# Asthma\n\nAbout.\n\n## Treatment\n\n```\n# no heading\n```\n\nFirst line\n----------\n\nInhaler.\n"
)
HTML = """<!doctype html><html><head><title>Asthma</title>
<meta name="guideline:edition" content="3"><meta name="guideline:source" content="Board">
<meta name="guideline:approver" content="Dr Chen"><meta name="guideline:expires" content="2027-12-31">
<style>p {color: red}</style></head><body><h1>Asthma</h1><p>About <b>adults</b>.</p>
<script>alert(1)</script><h2>Dose</h2><table><tr><td>Adult</td><td>2 puffs</td></tr></table></body></html>"""


def read(content: str | bytes, name: str = "", guideline: dict[str, str] | None = None) -> Item:
    raw = content.encode() if isinstance(content, str) else content
    [item] = parse_bytes(raw, ParseContext(guideline=guideline), name)
    return item


def document(content: str | bytes, name: str = "", guideline: dict[str, str] | None = None) -> GuidelineDocument:
    item = read(content, name, guideline)
    assert isinstance(item, GuidelineItem), item
    return item.document


def front(**fields: str) -> str:
    return "---\nkind: guideline\n" + "".join(f"{k}: {v}\n" for k, v in fields.items()) + "---\n"


def pdf(*pages: str) -> bytes:
    """Build a small PDF by hand: one line of Helvetica a page, or an empty page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids: list[str] = []
    for words in pages:
        stream = f"BT /F1 12 Tf 72 700 Td ({words}) Tj ET" if words else ""
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects) + 2} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out = BytesIO(b"%PDF-1.4\n")
    out.seek(0, 2)
    places = []
    for number, text in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{text}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010d} 00000 n \n".encode() for place in places)
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def test_markdown_says_itself_what_it_is() -> None:
    found = document(front(**DECLARED) + BODY)
    assert found.text == BODY
    assert (found.title, found.edition, found.approver) == ("Asthma in adults", "3", "Dr Chen")
    assert found.expires == date(2027, 12, 31)


def test_sections_touch_each_other_and_carry_their_path() -> None:
    found = document(BODY, guideline=DECLARED)
    assert [s.heading for s in found.sections] == [
        "", "Asthma", "Asthma > Treatment", "Asthma > First line",
    ]  # fmt: skip
    assert "".join(found.text[s.start : s.end] for s in found.sections) == BODY
    assert "Inhaler." in found.text[found.sections[-1].start :]


def test_a_title_is_taken_from_the_first_heading() -> None:
    fields = {k: v for k, v in DECLARED.items() if k != "title"}
    assert document(front(**fields) + BODY).title == "Asthma"


@pytest.mark.parametrize("missing", ["edition", "source", "approver", "expires"])
def test_missing_provenance_is_refused_by_name(missing: str) -> None:
    fields = {k: v for k, v in DECLARED.items() if k != missing}
    expected = RejectedItem("", "guideline-provenance-missing", missing)
    assert read(front(**fields) + BODY) == expected
    assert read(BODY, guideline=fields) == expected


def test_an_expiry_that_is_no_date_is_refused() -> None:
    fields = DECLARED | {"expires": "next year"}
    assert read(front(**fields) + BODY) == RejectedItem("", "guideline-provenance-invalid", "expires")


def test_html_keeps_words_headings_and_cells_and_drops_scripts() -> None:
    found = document(HTML)
    assert found.text == "Asthma\nAbout adults.\nDose\nAdult | 2 puffs"
    assert [(s.heading, found.text[s.start : s.end].strip()) for s in found.sections] == [
        ("Asthma", "Asthma\nAbout adults."), ("Asthma > Dose", "Dose\nAdult | 2 puffs"),
    ]  # fmt: skip
    assert found.source == "Board"


def test_what_the_operator_declares_comes_first() -> None:
    assert document(HTML, guideline={"edition": "4"}).edition == "4"


@pytest.mark.parametrize("content", [b"<html><body><h1>News</h1></body></html>", pdf("Asthma")])
def test_nothing_becomes_a_guideline_undeclared(content: bytes) -> None:
    found = read(content)
    assert isinstance(found, ResourceItem)
    assert found.resource_type == "DocumentReference"


def test_a_pdf_with_a_text_layer_is_read_page_by_page() -> None:
    found = document(pdf("Inhaler first.", "Then review."), guideline=DECLARED)
    assert found.text == "Inhaler first.\n\nThen review."
    assert [(s.heading, found.text[s.start : s.end].strip()) for s in found.sections] == [
        ("Page 1", "Inhaler first."), ("Page 2", "Then review."),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [docx(paragraph("Inhaler first.")), rb"{\rtf1 Inhaler first.\par}"])
def test_docx_and_rtf_that_are_declared_are_guidelines(content: bytes) -> None:
    assert document(content, guideline=DECLARED).text == "Inhaler first."


def test_a_scan_and_a_broken_pdf_are_refused() -> None:
    assert read(pdf("", ""), guideline=DECLARED) == RejectedItem("", "no-text-layer", "2 of 2 pages")
    broken: Any = read(b"%PDF-1.4 and then nothing", guideline=DECLARED)
    assert broken.reason == "broken-pdf"


def test_the_handmade_pdf_is_one() -> None:
    assert len(pypdfium2.PdfDocument(pdf("x"))) == 1
