"""Notes become DocumentReferences whose data is the note's own words."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.front_matter import split_front_matter
from ingestion.domain.items import ParseContext, RejectedItem, ResourceItem
from ingestion.domain.notes import READ_AS_CP1252
from ingestion.domain.r4.check import check_resource
from ingestion.parsers.registry import parse_bytes

FRONT = """---
patient: amina
identifier: http://clinic.example/mrn|1
date: 2024-03-01T10:00:00+01:00
title: "Ward round"
type: 11506-3|Progress note
author: Dr Chen
status: final
encounter: Encounter/e1
---
"""
BODY = "Potassium 4.1 mmol/L.\r\nNo chest pain.\n"


def read(content: str | bytes, filename: str = "note.txt", **context: Any) -> ResourceItem | RejectedItem:
    raw = content.encode() if isinstance(content, str) else content
    [item] = parse_bytes(raw, ParseContext(**context), filename)
    assert isinstance(item, ResourceItem | RejectedItem)
    return item


def document(content: str | bytes, filename: str = "note.txt", **context: Any) -> dict[str, Any]:
    item = read(content, filename, **context)
    assert isinstance(item, ResourceItem), item
    assert check_resource(item.content).resource_id == item.resource_id
    found: dict[str, Any] = json.loads(item.content)
    return found


def words(resource: dict[str, Any]) -> str:
    return base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()


def test_front_matter_becomes_the_resource_and_the_body_its_data() -> None:
    resource = document(FRONT + BODY)
    attachment = resource["content"][0]["attachment"]
    assert words(resource) == BODY
    assert attachment["size"] == len(BODY.encode())
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(BODY.encode()).digest()  # noqa: S324 - FHIR's hash
    assert attachment["contentType"] == "text/plain; charset=utf-8"
    assert attachment["title"] == "Ward round"
    assert resource["subject"] == {
        "reference": "Patient/amina",
        "identifier": {"system": "http://clinic.example/mrn", "value": "1"},
    }
    assert resource["type"]["coding"][0] == {
        "system": "http://loinc.org", "code": "11506-3", "display": "Progress note",
    }  # fmt: skip
    assert (resource["status"], resource["docStatus"]) == ("current", "final")
    assert resource["date"] == resource["context"]["period"]["start"] == "2024-03-01T10:00:00+01:00"
    assert resource["context"]["encounter"] == [{"reference": "Encounter/e1"}]


def test_the_caller_names_the_patient_only_where_the_note_does_not() -> None:
    assert document(BODY, patient_reference="Patient/bruno")["subject"] == {"reference": "Patient/bruno"}
    assert document(FRONT + BODY, patient_reference="Patient/bruno")["subject"]["reference"] == "Patient/amina"
    assert "subject" not in document(BODY)


def test_the_same_note_has_the_same_id_and_another_body_another_one() -> None:
    assert document(FRONT + BODY) == document(FRONT + BODY)
    assert document(FRONT + BODY)["id"] != document(FRONT + BODY + "Addendum.")["id"]
    assert document(BODY, patient_reference="Patient/1")["id"] != document(BODY, patient_reference="Patient/2")["id"]


def test_a_named_document_keeps_its_id_when_its_words_change() -> None:
    first, second = (document(f"---\nid: round-7\npatient: amina\n---\n{body}") for body in ("One.", "Two."))
    assert first["id"] == second["id"] == "round-7"
    assert words(second) == "Two."


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        ("# Ward round\n\n- stable", "note", "text/markdown"),
        ("plain words", "note", "text/plain"),
        ("plain words", "note.md", "text/markdown"),
        ("# not a heading here", "note.txt", "text/plain"),
    ],
)
def test_markdown_is_told_from_plain_text(content: str, name: str, kind: str) -> None:
    assert document(content, name)["content"][0]["attachment"]["contentType"].startswith(kind)


def test_a_bom_is_dropped_and_windows_1252_is_read_and_said() -> None:
    assert words(document(b"\xef\xbb\xbfK\xc3\xa4lte")) == "Kälte"
    resource = document(b"Temp 38\xb0, K\xe4lte")
    assert words(resource) == "Temp 38°, Kälte"
    assert resource["description"] == READ_AS_CP1252


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"K\xc3\xa4lte und \xff", RejectedItem("", "not-utf8", "byte 11")),
        (b"words and then\0 a NUL and some more words to make it look like a text, which is long", None),
        (b"---\npatient: a b\n---\nx", RejectedItem("", "bad-format", "patient")),
        (b"---\nidentifier: 123\n---\nx", RejectedItem("", "bad-format", "identifier")),
        (b"---\ndate: 2024-02-30\n---\nx", RejectedItem("", "bad-date", "date")),
        (b"---\ndate: 2024-02-28 10:00\n---\nx", RejectedItem("", "date-without-zone", "date")),
        (b"---\nstatus: maybe\n---\nx", RejectedItem("", "code-not-allowed", "status")),
        (b"---\npatient: amina\n---\n \n", RejectedItem("", "empty-note", "body")),
        (b" \n", RejectedItem("", "empty-file")),
    ],
)
def test_what_cannot_be_used_is_refused(content: bytes, expected: RejectedItem | None) -> None:
    assert read(content) == (expected or RejectedItem("", "nul-character", "byte 14"))


def test_a_note_over_the_limit_is_refused() -> None:
    assert read("x" * 101, max_resource_bytes=100) == RejectedItem("", "resource-too-large")


@pytest.mark.parametrize(
    "content",
    [b"<ClinicalDocument/>", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n\x00\x00\x00", b"a,b,c\n1,2,3\n",
     b"\xff\xfeh\x00i\x00"],
)  # fmt: skip
def test_other_formats_are_not_taken_for_notes(content: bytes) -> None:
    assert read(content, "upload") == RejectedItem("", "unknown-format")


BLOCK = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(body=BLOCK.filter(lambda t: bool(t.strip()) and not t.startswith(("---", "\ufeff"))))
def test_the_words_come_back_exactly(body: str) -> None:
    text = f"---\npatient: amina\n---\n{body}"
    fields, start = split_front_matter(text)
    assert fields == {"patient": "amina"}
    assert text[start:] == body


@given(text=st.text(max_size=60))
def test_a_text_without_a_closed_block_is_all_body(text: str) -> None:
    fields, start = split_front_matter(text)
    assert fields == {} or 0 < start <= len(text)
