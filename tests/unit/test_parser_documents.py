"""A document that a person hands in becomes a DocumentReference whose words can be cited by page."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from typing import Any

import pytest

from clinical.domain.narrative import text_part
from clinical.domain.pages import pages_of, place_in_words
from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes
from tests.documents import FONT, assembled, docx, page_of, paragraph, pdf, scan, stream

needs_ocr = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract-ocr is not installed")
LINES = ["Digoxin 0.125 mg once daily", "Potassium 3.1 mmol/L on 2026-03-04", "No chest pain."]


def items(content: bytes, name: str = "letter.pdf", patient: str = "Patient/tess") -> list[Item]:
    return list(parse_bytes(content, ParseContext(patient_reference=patient), name))


def document(content: bytes, name: str = "letter.pdf", patient: str = "Patient/tess") -> dict[str, Any]:
    [item] = items(content, name, patient)
    assert isinstance(item, ResourceItem), item
    found: dict[str, Any] = json.loads(item.content)
    return found


def test_it_names_the_patient_the_file_and_the_digest_of_its_bytes() -> None:
    content = pdf(LINES)
    found = document(content, "folder/Discharge letter.pdf")

    original = found["content"][0]["attachment"]
    assert found["subject"] == {"reference": "Patient/tess"}
    assert original["url"].endswith(hashlib.sha256(content).hexdigest())
    assert original["size"] == len(content)
    assert base64.b64decode(original["hash"]) == hashlib.sha1(content).digest()  # noqa: S324 - FHIR's hash
    assert original["title"] == "Discharge letter"
    assert text_part(found) == "\n".join(LINES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (docx(paragraph("Potassium 4.1 mmol/L")), "Potassium 4.1 mmol/L"),
        (rb"{\rtf1\ansi Potassium 4.1 mmol/L\par}", "Potassium 4.1 mmol/L"),
        (b"<!doctype html><html><head><script>x()</script></head><body><p>No pain</p></body></html>", "No pain"),
        ('<html><meta charset="iso-8859-1"><body>38 °C</body></html>'.encode("latin-1"), "38 °C"),
    ],
)  # fmt: skip
def test_formats_without_pages_have_words_and_no_pages(content: bytes, words: str) -> None:
    found = document(content, "")

    assert text_part(found) == words
    assert pages_of(found) == ()


def test_the_same_file_of_the_same_patient_is_the_same_document() -> None:
    content = pdf(LINES)

    assert items(content) == items(content)
    assert document(content)["id"] != document(content, patient="Patient/other")["id"]
    assert "subject" not in document(content, patient="")


def test_notes_on_a_page_and_filled_forms_are_read_as_part_of_it() -> None:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [72 400 300 430] /F 4 /AP << /N 7 0 R >> >>"
    drawn = stream(b"BT /F1 12 Tf 10 10 Td (Allergic to penicillin) Tj ET")
    shown = b"<< /Type /XObject /Subtype /Form /BBox [0 0 228 30] /Resources << /Font << /F1 3 0 R >> >> "
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 612 792] >>",
        FONT.encode(),
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Annots [6 0 R] /Resources << /Font << /F1 3 0 R >> >> >>",
        stream(page_of(LINES)),
        field,
        drawn.replace(b"<< ", shown, 1),
    ]

    assert "Allergic to penicillin" in text_part(document(assembled(objects)))


@needs_ocr
def test_a_page_that_is_a_picture_is_recognised_and_marked() -> None:
    found = document(scan(LINES))
    [page] = pages_of(found)

    assert text_part(found) == "\n".join(LINES)
    assert page.ocr is not None and page.ocr > 60
    assert place_in_words([page]) == "page 1, read by OCR"
    assert "tesseract" in json.dumps(found["content"][1]["attachment"]["extension"])


@needs_ocr
def test_only_the_pages_without_words_are_recognised() -> None:
    whole = pdf(LINES, b"0 0 1 rg 100 100 400 400 re f")
    found, fault = items(whole)

    assert isinstance(found, ResourceItem)
    assert [page.ocr for page in pages_of(json.loads(found.content))] == [None, None]
    assert fault == RejectedItem("page 2", "ocr-found-no-words")


@needs_ocr
def test_an_empty_page_of_a_scan_is_no_fault() -> None:
    [item] = items(scan(LINES, []))

    assert isinstance(item, ResourceItem)


def test_words_that_a_recogniser_put_under_a_scan_are_marked_as_its_reading() -> None:
    found = document(scan([], under=page_of(LINES, mode=3)))
    [page] = pages_of(found)

    assert page.ocr == 0
    assert text_part(found) == "\n".join(LINES)


def test_without_a_recogniser_the_pages_with_words_go_in_and_the_others_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingestion.parsers.extraction.run.recogniser_path", lambda: "")
    picture = b"0 0 1 rg 100 100 400 400 re f"

    found, fault = items(pdf(LINES, picture, LINES, picture, picture))

    assert isinstance(found, ResourceItem)
    assert text_part(json.loads(found.content)).count("Digoxin") == 2
    assert fault == RejectedItem("pages 2, 4-5", "ocr-not-available")


def test_a_guideline_is_not_taken_for_a_document_about_a_patient() -> None:
    page = b'<html><head><meta name="guideline:edition" content="1"></head><body><h1>A</h1></body></html>'

    [item] = items(page, patient="")

    assert item == RejectedItem("", "guideline-provenance-missing", "source, approver, expires")
