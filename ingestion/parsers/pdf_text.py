"""The text layer of a PDF document. No image is read: a scanned page has no words here."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import pypdfium2

MAX_PAGES = 2000
MAX_TEXT = 20_000_000
_LOCK = Lock()  # PDFium allows one caller at a time in a process


class UnreadablePdfError(ValueError):
    """`reason`: broken-pdf, encrypted-pdf, too-many-pages or pdf-without-text-layer; `detail` names pages."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PdfText:
    """The pages' texts, joined by blank lines; page N (from 1) is characters [starts[N-1], starts[N])."""

    text: str
    starts: tuple[int, ...]


def read_pdf(content: bytes) -> PdfText:
    """Return the text layer.

    Raises:
        UnreadablePdfError: it cannot be opened, has more than MAX_PAGES pages, or more than half of its pages
            have no text (a scan; taking the rest alone would hide what is missing).
    """
    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            reason = "encrypted-pdf" if "password" in str(error).lower() else "broken-pdf"
            raise UnreadablePdfError(reason) from None
        try:
            return _joined(_pages(document))
        finally:
            document.close()


def _pages(document: pypdfium2.PdfDocument) -> list[str]:
    count = len(document)
    if count > MAX_PAGES:
        raise UnreadablePdfError("too-many-pages", f"{count} pages")
    pages: list[str] = []
    size = 0
    for number in range(count):
        try:
            page = document[number]
            layer = page.get_textpage()
            words = layer.get_text_range().replace("\r\n", "\n").replace("\x00", "").strip()
            layer.close()
            page.close()
        except pypdfium2.PdfiumError:
            raise UnreadablePdfError("broken-pdf", f"page {number + 1}") from None
        size += len(words)
        if size > MAX_TEXT:
            raise UnreadablePdfError("too-many-pages", f"text beyond page {number}")
        pages.append(words)
    return pages


def _joined(pages: list[str]) -> PdfText:
    empty = sum(not words for words in pages)
    if not pages or empty * 2 > len(pages):
        raise UnreadablePdfError("pdf-without-text-layer", f"{empty} of {len(pages)} pages")
    text = ""
    starts: list[int] = []
    for words in pages:
        starts.append(len(text))
        text += words + "\n\n"
    return PdfText(text.rstrip(), tuple(starts))
