"""Attachments of received resources: hash and size are checked, and the words of documents put beside them.

Source: HL7 FHIR R4 4.0.1, Attachment (https://hl7.org/fhir/R4/datatypes.html#attachment): `hash` is the SHA-1 of
the data, base64 encoded; `size` its bytes before base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clinical.domain.extraction import Extraction, as_extension, extraction_of
from clinical.domain.json_spans import locate
from ingestion.domain.documents.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.documents.extracted import Extracted

Json = dict[str, Any]
# Where the attachments of a type stand.
HOLDERS: Final = {"DocumentReference": "content", "DiagnosticReport": "presentedForm", "Media": "content"}
_SPACE_TEXT: Final = re.compile(r"\s+")
_READ_AS_THEY_ARE: Final = ("text/plain", "text/markdown", "text/x-markdown", "text/html", "application/xhtml")
_LOOKED_AT: Final = 64 * 1024
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class AttachmentError(ValueError):
    """An attachment is not what it says of itself. `reason` is a code, `path` its FHIR path."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(f"{reason}: {path}")
        self.reason = reason
        self.path = path


class _Attachment(msgspec.Struct):
    contentType: str = ""  # noqa: N815 - FHIR's names
    data: str = ""
    size: int | None = None
    hash: str = ""
    title: str = ""
    extension: list[Json] = []


class _Content(msgspec.Struct):
    attachment: _Attachment | None = None


class _Resource(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw(b"null")
    presentedForm: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815 - FHIR's names


_resource: Final = msgspec.json.Decoder(_Resource).decode
_contents: Final = msgspec.json.Decoder(list[_Content] | None).decode
_forms: Final = msgspec.json.Decoder(list[_Attachment] | None).decode
_media: Final = msgspec.json.Decoder(_Attachment | None).decode


@dataclass(frozen=True, slots=True)
class Document:
    """An attachment whose words have to be read: its index among the resource's, its format, title and bytes."""

    index: int
    kind: str
    title: str
    content: bytes


def may_hold_documents(resource_type: str, content: bytes) -> bool:
    """Return whether a resource has to be looked into; quick, for resources by the million."""
    return resource_type in HOLDERS and b'"data"' in content


def documents_in(resource_type: str, content: bytes) -> Iterator[Document]:
    """Yield the documents inside a valid resource whose words no attachment of it holds yet.

    Raises:
        AttachmentError: hash-mismatch, size-mismatch, bad-base64.
    """
    attachments = _attachments(resource_type, content)
    read = {found.of for one in attachments if (found := extraction_of({"extension": one.extension}))}
    for index, one in enumerate(attachments):
        if not one.data:
            continue
        raw = _checked(one, f"{resource_type}.{HOLDERS[resource_type]}[{index}]")
        media = one.contentType.split(";")[0].strip().lower()
        if index in read or media.startswith(_READ_AS_THEY_ARE) or resource_type == "Media":
            continue
        if kind := kind_of(raw[:_LOOKED_AT]):
            yield Document(index, kind, one.title, raw)


def _attachments(resource_type: str, content: bytes) -> list[_Attachment]:
    held = _resource(content)
    if resource_type == "DiagnosticReport":
        return _forms(held.presentedForm) or []
    if resource_type == "Media":
        alone = _media(held.content)
        return [alone] if alone else []
    return [item.attachment or _Attachment() for item in _contents(held.content) or []]


def _checked(attachment: _Attachment, path: str) -> bytes:
    try:
        raw = base64.b64decode(_SPACE_TEXT.sub("", attachment.data), validate=True)
    except (binascii.Error, ValueError):
        raise AttachmentError("bad-base64", f"{path}.data") from None
    if attachment.size is not None and attachment.size != len(raw):
        raise AttachmentError("size-mismatch", f"{path}.size")
    if attachment.hash:
        given = _SPACE_TEXT.sub("", attachment.hash)
        digest = hashlib.sha1(raw, usedforsecurity=False)
        # base64 of the digest is the standard's form; its hexadecimal form is sent too and says the same
        if given.lower() != digest.hexdigest() and given != base64.b64encode(digest.digest()).decode():
            raise AttachmentError("hash-mismatch", f"{path}.hash")
    return raw


def text_attachment(extracted: Extracted, of: int, title: str = "") -> Json:
    """Return the attachment of plain text that holds a document's words and says how they were read."""
    text, starts = extracted.joined()
    ocr = tuple((number, page.ocr) for number, page in enumerate(extracted.pages, start=1) if page.ocr is not None)
    data = text.encode("utf-8", "replace")
    return {
        "extension": [as_extension(Extraction(extracted.method, of, starts, ocr))],
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii"),
        **({"title": title} if title else {}),
    }


def with_texts(resource_type: str, content: bytes, texts: list[Json]) -> bytes:
    """Return a resource with further attachments at the end; all other bytes stay as they came."""
    holder = HOLDERS[resource_type]
    whole = content.decode("utf-8")
    end = locate(whole, (holder,))[1] - 1  # at the closing bracket
    items = [{"attachment": text} if holder == "content" else text for text in texts]
    added = "".join("," + _encode(item).decode("utf-8") for item in items)
    return (whole[:end] + added + whole[end:]).encode("utf-8")
