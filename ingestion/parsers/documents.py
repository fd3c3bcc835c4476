"""Documents that a person hands in for a patient: PDF, DOCX, RTF and HTML."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final

from ingestion.domain.documents.extracted import ExtractionError
from ingestion.domain.documents.kinds import DOCX, HTML, PDF, RTF, kind_of
from ingestion.domain.documents.upload import File, document_reference
from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError
from ingestion.parsers.extraction.run import MOST_BYTES, extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.documents.extracted import Extracted
    from ingestion.domain.items import Item, ParseContext

_KINDS: Final = frozenset({PDF, DOCX, RTF, HTML})
_HEAD_BYTES: Final = 64 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # DOC, and DOCX behind a password


class Documents:
    """Makes a DocumentReference whose second attachment holds the words; nobody named: it waits for a person."""

    name = "document"

    def score(self, head: bytes, filename: str) -> int:
        """Return 60: what says itself that it is a guideline is surer."""
        return 60 if kind_of(head) in _KINDS or head.startswith(_OLE) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield the document, then the pages that could not be read."""
        limit = min(MOST_BYTES, context.max_file_bytes)
        content = source.read(limit + 1)
        if len(content) > limit:
            yield RejectedItem("", "file-too-large")
            return
        kind = kind_of(content[:_HEAD_BYTES])
        if kind not in _KINDS:
            yield RejectedItem("", "old-or-encrypted-office-file")
            return
        try:
            extracted = extract(content, kind, languages=context.ocr_languages, still_working=context.still_working)
        except ExtractionError as error:
            yield RejectedItem(error.place if error.place.startswith("page") else "", error.reason, error.place)
            return
        yield from _items(content, File(kind, filename, *_digests(content)), extracted, context)


def _items(content: bytes, file: File, extracted: Extracted, context: ParseContext) -> Iterator[Item]:
    if not extracted.has_words and not extracted.faults:
        yield RejectedItem("", "no-words-found")
        return
    upload = document_reference(file, extracted, context.patient_reference)
    if len(upload.content) > context.max_resource_bytes:
        yield RejectedItem("", "text-too-large")
        return
    try:
        check_resource(upload.content)
    except InvalidResourceError as error:
        yield RejectedItem("", error.issue.code, error.issue.path)
        return
    yield ResourceItem("", "DocumentReference", upload.resource_id, upload.content)
    yield from (RejectedItem(fault.place, fault.reason) for fault in extracted.faults)


def _digests(content: bytes) -> tuple[int, str, str]:
    sha1 = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode("ascii")
    return len(content), hashlib.sha256(content).hexdigest(), sha1
