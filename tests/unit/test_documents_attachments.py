"""Attachments are what they say they are, and the words of documents stand beside them with their pages."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from clinical.domain.extraction import URL, Extraction, as_extension, extraction_of
from clinical.domain.narrative import text_part, unread_attachments
from clinical.domain.pages import Page, pages_between, pages_of, place_in_words
from ingestion.domain.documents.extracted import Extracted, PageFault, PageText
from ingestion.domain.documents.kinds import kind_of
from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.domain.r4.check import check_resource
from ingestion.parsers.attached import with_words
from ingestion.parsers.registry import parse_bytes
from tests.documents import docx, paragraph, pdf, scan

FIRST, SECOND = "Potassium was 4.1 mmol/L on Monday.", "Ramipril was stopped on Tuesday."
LETTER = pdf([FIRST], [SECOND])


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def document(raw: bytes, kind: str = "application/pdf", **more: Any) -> dict[str, Any]:
    attachment = {"contentType": kind, "data": b64(raw), **more}
    return {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "content": [{"attachment": attachment}],
    }


def items(resource: dict[str, Any]) -> list[Item]:
    context = ParseContext()
    return list(with_words(parse_bytes(json.dumps(resource, indent=1).encode(), context), context))


def taken(resource: dict[str, Any]) -> dict[str, Any]:
    [item] = items(resource)
    assert isinstance(item, ResourceItem), item
    assert check_resource(item.content).resource_id == "d"
    found: dict[str, Any] = json.loads(item.content)
    return found


def test_a_pdf_inside_a_resource_gets_its_words_put_beside_it() -> None:
    digest = b64(hashlib.sha1(LETTER).digest())  # noqa: S324 - FHIR's hash
    sent = document(LETTER, title="Letter", hash=digest, size=len(LETTER))
    found = taken(sent)

    assert text_part(found) == f"{FIRST}\n\f\n{SECOND}"
    assert unread_attachments(found) == []
    place = text_part(found).index("Ramipril")
    assert place_in_words(pages_between(pages_of(found), place, place + 8)) == "page 2"
    assert found["content"][0] == sent["content"][0]
    assert found["content"][1]["attachment"]["title"] == "Letter"


def test_all_other_bytes_of_the_resource_stay_as_they_came() -> None:
    resource = document(docx(paragraph("Rest.")), "application/octet-stream")
    sent = json.dumps(resource, indent=1)
    [item] = items(resource)

    assert isinstance(item, ResourceItem)
    held = item.content.decode()
    cut = held.index(',{"attachment":{"extension"')
    assert sent.startswith(held[:cut])
    assert held.endswith(sent[cut:])


def test_what_could_not_be_read_comes_after_the_last_item() -> None:
    entries = [{"resource": document(b"%PDF-1.4 nothing") | {"id": one}} for one in ("a", "b")]

    found = items({"resourceType": "Bundle", "type": "collection", "entry": entries})

    assert [type(one).__name__ for one in found] == ["ResourceItem"] * 2 + ["RejectedItem"] * 2
    assert [one.position for one in found] == ["entry[0]", "entry[1]"] * 2


def test_reports_hold_documents_too_and_are_not_read_twice() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "status": "final",
        "code": {"text": "CT"},
        "subject": {"reference": "Patient/p"},
        "presentedForm": [{"contentType": "application/pdf", "data": b64(LETTER)}],
    }

    once = taken(report)

    assert text_part(once).startswith(FIRST)
    assert taken(once) == once


@pytest.mark.parametrize(
    ("more", "reason", "element"),
    [
        ({"hash": b64(hashlib.sha1(b"other").digest())}, "hash-mismatch", "hash"),  # noqa: S324 - FHIR's hash
        ({"size": 3}, "size-mismatch", "size"),
    ],
)
def test_an_attachment_that_is_not_what_it_says_is_refused(more: dict[str, Any], reason: str, element: str) -> None:
    resource = document(b"Some words.", "text/plain", **more)

    assert items(resource) == [RejectedItem("", reason, f"DocumentReference.content[0].{element}")]


def test_a_hash_in_hexadecimal_says_the_same() -> None:
    digest = hashlib.sha1(b"Some words.").hexdigest()  # noqa: S324 - FHIR's hash

    assert text_part(taken(document(b"Some words.", "text/plain", hash=digest, size=11))) == "Some words."


def test_a_document_that_cannot_be_read_goes_in_and_is_said_to_lack_its_words() -> None:
    item, fault = items(document(b"%PDF-1.4 nothing"))

    assert isinstance(item, ResourceItem)
    assert unread_attachments(json.loads(item.content)) == ["application/pdf"]
    assert fault == RejectedItem("", "broken-pdf", "DocumentReference.content[0]")


def test_pages_that_are_pictures_are_named_where_nobody_can_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.parsers.extraction.run.recogniser_path", lambda: "")

    item, fault = items(document(scan(["A picture of words."], ["Another picture."])))

    assert isinstance(item, ResourceItem)
    assert fault == RejectedItem("pages 1-2", "ocr-not-available", "DocumentReference.content[0]")


def test_a_c_cda_document_inside_a_resource_is_read_section_by_section() -> None:
    cda = (
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section><title>Plan</title>'
        b"<text><paragraph>Rest at home.</paragraph></text></section></component></structuredBody></component>"
        b"</ClinicalDocument>"
    )

    assert text_part(taken(document(cda, "application/xml"))) == "Plan\nRest at home."


def test_what_an_extension_says_is_read_as_it_was_written() -> None:
    said = Extraction("reader 1", 2, (0, 10, 20), ((2, 91), (3, 0)))

    assert extraction_of({"extension": [as_extension(said)]}) == said


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"url": "of", "valueUnsignedInt": "x"}],
        [{"url": "of", "valueUnsignedInt": 0}, {"url": "pages", "valueString": "9 3"}],
        [{"url": "of", "valueUnsignedInt": 0}, {"url": "ocr", "valueString": "one"}],
        [{"url": "of", "valueUnsignedInt": 0}, {"url": "pages", "valueString": "-4 3"}],
    ],
)
def test_an_extension_that_says_nonsense_says_nothing(parts: list[dict[str, Any]]) -> None:
    assert extraction_of({"extension": [{"url": URL, "extension": parts}]}) is None


def test_places_are_said_in_words() -> None:
    pages = [Page(1, 0, 10), Page(2, 10, 20, 88), Page(3, 20, 30)]

    assert place_in_words(pages_between(pages, 3, 5)) == "page 1"
    assert place_in_words(pages_between(pages, 8, 12)) == "pages 1 and 2, read by OCR"
    assert place_in_words(pages_between(pages, 0, 30)) == "pages 1 to 3, read by OCR"
    assert place_in_words(pages_between(pages, 20, 20)) == "page 3"
    assert place_in_words([]) == ""


def test_pages_begin_where_their_words_do() -> None:
    text, starts = Extracted("m", (PageText("one"), PageText(""), PageText("three", 90))).joined()

    assert [text[at : at + 5].split("\n")[0] for at in starts] == ["one", "", "three"]
    assert PageFault((1, 2, 3, 7), "x").place == "pages 1-3, 7"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"junk\n%PDF-1.7\n", "pdf"),
        (b"{\\rtf1\\ansi", "rtf"),
        (docx(paragraph("x")), "docx"),
        (b"<!DOCTYPE html><p>", "html"),
        ("\ufeff<html>".encode("utf-16-le"), "html"),
        (b'<?xml version="1.0"?><!-- c --><cda:ClinicalDocument xmlns:cda="urn:hl7-org:v3">', "cda"),
        (b'<ClinicalDocument xmlns="urn:other">', ""),
        (b"Plain words about <b>HTML</b>", ""),
        (b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", ""),
    ],
)
def test_a_format_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind
