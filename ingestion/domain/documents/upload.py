"""A document that a person handed in, as FHIR R4 DocumentReference.

See https://hl7.org/fhir/R4/documentreference.html. The first attachment says what the file is and by which digest
its bytes are kept; the second holds its words, in which citations count.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingestion.domain.documents.attachments import text_attachment
from ingestion.domain.documents.kinds import MEDIA_TYPES

if TYPE_CHECKING:
    from ingestion.domain.documents.extracted import Extracted

ORIGINAL: Final = "urn:clinical-appliance:original:"
LONGEST_TITLE: Final = 120
_NAMESPACE: Final = uuid.UUID("5c0f6b0e-9d52-5a0b-8a53-7a6b4f0d1c22")
_NOT_A_TITLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class File:
    """What is known of the file: its format, name, size in bytes, and SHA-256 (hex) and SHA-1 (base64)."""

    kind: str
    name: str
    size: int
    sha256: str
    sha1: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A DocumentReference: its id and its JSON."""

    resource_id: str
    content: bytes


def document_reference(file: File, extracted: Extracted, patient_reference: str) -> Upload:
    """Return the DocumentReference of a file.

    Args:
        file: what it is.
        extracted: its words.
        patient_reference: "Patient/id" as a person named it, "" where nobody did.

    The same file of the same patient has the same id, so that handing it in again changes nothing.
    """
    resource_id = str(uuid.uuid5(_NAMESPACE, f"{patient_reference} {file.sha256}"))
    title = _title(file.name)
    original: dict[str, Any] = {
        "contentType": MEDIA_TYPES[file.kind],
        "url": ORIGINAL + file.sha256,
        "size": file.size,
        "hash": file.sha1,
        **({"title": title} if title else {}),
    }
    content = [{"attachment": original}]
    if extracted.has_words:
        content.append({"attachment": text_attachment(extracted, 0, title)})
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": resource_id,
        # A person typed whom it is about: the patient must be known already (identity is never guessed).
        "meta": {"tag": [{"system": "urn:clinical-appliance:origin", "code": "uploaded-note"}]},
        "status": "current",
        **({"subject": {"reference": patient_reference}} if patient_reference else {}),
        "content": content,
    }
    return Upload(resource_id, _encode(document))


def _title(name: str) -> str:
    """Return a file's name without folder and ending, as the title of what is in it."""
    return _NOT_A_TITLE.sub(" ", PurePath(name).stem).strip()[:LONGEST_TITLE].strip()
