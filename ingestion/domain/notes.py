"""Turns a plain-text or Markdown note into a FHIR R4 DocumentReference.

See https://hl7.org/fhir/R4/documentreference.html. The note's words are the attachment's data, byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from ingestion.domain.front_matter import split_front_matter
from ingestion.domain.r4.primitives import DATE_TIME, ID, INSTANT

LOINC = "http://loinc.org"
READ_AS_CP1252 = "Text was not UTF-8; read as Windows-1252 and stored as UTF-8."

_NAMESPACE = uuid.UUID("0b0b6a4e-6f0e-5c0b-8d0a-52c1f1a7d9e3")
_ID = re.compile(ID)
_DATE_TIME = re.compile(DATE_TIME)
_INSTANT = re.compile(INSTANT)
_NO_ZONE = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$")
_LOINC_CODE = re.compile(r"^[0-9]{1,7}-[0-9]$")
_REFERENCE = re.compile(r"^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}$")
_STATUS = frozenset({"current", "superseded", "entered-in-error"})
_DOC_STATUS = frozenset({"preliminary", "final", "amended", "entered-in-error"})


class NoteError(ValueError):
    """The note's front matter cannot be used. `reason` is a code, `element` the key at fault."""

    def __init__(self, reason: str, element: str) -> None:
        super().__init__(f"{reason}: {element}")
        self.reason = reason
        self.element = element


@dataclass(frozen=True, slots=True)
class Note:
    """A DocumentReference made from a note: its id and its JSON."""

    resource_id: str
    content: bytes


def note_document(text: str, *, markdown: bool, patient_reference: str = "", was_cp1252: bool = False) -> Note:
    """Return the DocumentReference of a note.

    Front matter, all optional: `patient` (id or Patient/id), `identifier` (system|value), `date` (FHIR
    dateTime; a time needs its zone), `title`, `type` (LOINC code|display, or words), `author`, `status` (of
    the reference or of the document), `id`, `encounter`. `patient_reference` is used where the note names
    nobody. A note with neither has no subject.

    The id is the front matter's `id` (so that a changed file is a new version), else a UUID made from
    patient, date, title and body.

    Raises:
        NoteError: empty-note, bad-date, date-without-zone, bad-format, code-not-allowed.
    """
    fields, start = split_front_matter(text)
    body = text[start:]
    if not body.strip():
        raise NoteError("empty-note", "body")
    subject = _subject(fields, patient_reference)
    date = _date(fields.get("date", ""))
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        # A person typed whom it is about: the patient must be known already (identity is never guessed).
        "meta": {"tag": [{"system": "urn:clinical-appliance:origin", "code": "uploaded-note"}]},
        "id": _resource_id(fields, subject, date, body),
    }
    document.update(_status(fields.get("status", "")))
    if fields.get("type"):
        document["type"] = _type(fields["type"])
    if subject:
        document["subject"] = subject
    if _INSTANT.match(date):
        document["date"] = date
    if fields.get("author"):
        document["author"] = [_author(fields["author"])]
    if was_cp1252:
        document["description"] = READ_AS_CP1252
    document["content"] = [{"attachment": _attachment(body, fields.get("title", ""), date, markdown=markdown)}]
    context = _context(fields.get("encounter", ""), date)
    if context:
        document["context"] = context
    return Note(document["id"], json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def _subject(fields: dict[str, str], fallback: str) -> dict[str, Any]:
    subject: dict[str, Any] = {}
    patient = fields.get("patient", "")
    system, _, value = fields.get("identifier", "").rpartition("|")
    if patient:
        subject["reference"] = _reference(patient, "Patient", "patient")
    if fields.get("identifier"):
        if not system or not value or " " in system:
            raise NoteError("bad-format", "identifier")
        subject["identifier"] = {"system": system, "value": value}
    if not subject and fallback:
        subject["reference"] = _reference(fallback, "Patient", "patient")
    return subject


def _reference(value: str, resource_type: str, key: str) -> str:
    resource_id = value.removeprefix(f"{resource_type}/")
    if not _ID.match(resource_id):
        raise NoteError("bad-format", key)
    return f"{resource_type}/{resource_id}"


def _date(value: str) -> str:
    if not value or _DATE_TIME.match(value):
        return value
    clock = _NO_ZONE.match(value)
    if clock and clock[1] is None:
        raise NoteError("date-without-zone", "date")
    raise NoteError("bad-date", "date")


def _status(value: str) -> dict[str, str]:
    if value and value not in _STATUS | _DOC_STATUS:
        raise NoteError("code-not-allowed", "status")
    found = {"status": value if value in _STATUS else "current"}
    if value in _DOC_STATUS:
        found["docStatus"] = value
    return found


def _type(value: str) -> dict[str, Any]:
    code, _, display = (part.strip() for part in value.partition("|"))
    if not _LOINC_CODE.match(code):
        return {"text": value}
    coding = {"system": LOINC, "code": code}
    if not display:
        return {"coding": [coding]}
    return {"coding": [coding | {"display": display}], "text": display}


def _author(value: str) -> dict[str, str]:
    return {"reference": value} if _REFERENCE.match(value) else {"display": value}


def _attachment(body: str, title: str, date: str, *, markdown: bool) -> dict[str, Any]:
    words = body.encode("utf-8")
    attachment: dict[str, Any] = {
        "contentType": ("text/markdown" if markdown else "text/plain") + "; charset=utf-8",
        "data": base64.b64encode(words).decode("ascii"),
        "size": len(words),
        "hash": base64.b64encode(hashlib.sha1(words, usedforsecurity=False).digest()).decode("ascii"),
    }
    if title:
        attachment["title"] = title
    if date:
        attachment["creation"] = date
    return attachment


def _context(encounter: str, date: str) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if encounter:
        context["encounter"] = [{"reference": _reference(encounter, "Encounter", "encounter")}]
    if date:
        context["period"] = {"start": date}
    return context


def _resource_id(fields: dict[str, str], subject: dict[str, Any], date: str, body: str) -> str:
    named = fields.get("id", "")
    if named:
        return named if _ID.match(named) else str(uuid.uuid5(_NAMESPACE, named))
    parts = [json.dumps(subject, sort_keys=True), date, fields.get("title", ""), body]
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))
