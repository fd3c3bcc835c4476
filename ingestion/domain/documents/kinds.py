"""Which format a document's bytes are in, by their content."""

from __future__ import annotations

import re
from typing import Final

PDF, DOCX, RTF, HTML, CDA = "pdf", "docx", "rtf", "html", "cda"
MEDIA_TYPES: Final = {
    PDF: "application/pdf",
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    RTF: "application/rtf",
    HTML: "text/html",
    CDA: "text/xml",
}
# A comment ends where it first can, for good: else many of them can be shared out in more ways than can be tried.
_HTML: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,400}>\s*)?(?>(?><!--.{0,4000}?-->)\s*){0,20}<(?:!doctype\s+html|html|head|body|h1|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
# The root element and its namespace, wherever in the tag it stands; the prefix is the sender's own.
_CDA: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?ClinicalDocument\b")
_CDA_NAMESPACE: Final = b"urn:hl7-org:v3"
_BEFORE_ROOT: Final = re.compile(rb"\s*(?:<\?|<!--|<!DOCTYPE|<)", re.IGNORECASE)
_ZIP: Final = b"PK\x03\x04"
_DOCX_PARTS: Final = (b"word/", b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"mimetype")
_BOMS: Final = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def kind_of(head: bytes) -> str:
    """Return "pdf", "docx", "rtf", "html" or "cda" for the first bytes of a document, "" for anything else."""
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.lstrip()[:6].lower().startswith(b"{\\rtf"):
        return RTF
    if head.startswith(_ZIP):
        return DOCX if any(part in head[30:160] for part in _DOCX_PARTS) else ""
    text = _as_ascii(head)
    if is_cda(text):
        return CDA
    return HTML if _HTML.match(text) else ""


def is_cda(head: bytes) -> bool:
    """Return whether XML begins as a CDA document."""
    found = _CDA.search(head) if _BEFORE_ROOT.match(head) else None
    return found is not None and _CDA_NAMESPACE in head[found.start() : found.start() + 8192]


def _as_ascii(head: bytes) -> bytes:
    """Return a head of text without byte order mark, and as single bytes where it is UTF-16."""
    for mark, codec in _BOMS.items():
        if head.startswith(mark):
            text = head[len(mark) :]
            return text if codec == "utf-8" else text.decode(codec, "ignore").encode("ascii", "replace")
    return head
