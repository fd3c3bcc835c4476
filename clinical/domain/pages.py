"""Which page of a document the words of its text part stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clinical.domain.extraction import extraction_of
from clinical.domain.narrative import attachment_texts, attachments_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Page:
    """Characters [start, end) of part `text`, in code points. `number` counts from 1, 0 for a format without pages.

    `ocr` says how sure (1 to 100, 0 unknown) the recogniser was of a page that is only a picture; None where the
    words are the document's own.
    """

    number: int
    start: int
    end: int
    ocr: int | None = None


def pages_of(resource: dict[str, Any]) -> tuple[Page, ...]:
    """Return the pages of a resource's text part in order; none where no attachment has any."""
    if not any(one.get("extension") for one in attachments_of(resource)):
        return ()  # nearly all resources: their words need not be decoded for this
    pages: list[Page] = []
    for attachment, start, text in attachment_texts(resource):
        extraction = extraction_of(attachment)
        if extraction is None or not extraction.starts:
            continue
        ocr = dict(extraction.ocr)
        ends = (*extraction.starts[1:], len(text))
        for number, (first, last) in enumerate(zip(extraction.starts, ends, strict=True), start=1):
            if first <= last <= len(text):
                pages.append(Page(number, start + first, start + last, ocr.get(number)))
    return tuple(pages)


def pages_between(pages: Sequence[Page], start: int, end: int) -> list[Page]:
    """Return the pages that characters [start, end) stand on; for an empty span, the page it points at."""
    last = max(end, start + 1)
    return [page for page in pages if page.start < last and start < max(page.end, page.start + 1)]


def place_in_words(pages: Sequence[Page]) -> str:
    """Return where words stand, for people: "page 3", "pages 3 and 4", "page 3, read by OCR"; "" without pages."""
    if not pages:
        return ""
    numbers = [str(page.number) for page in pages]
    words = f"page {numbers[0]}" if len(numbers) == 1 else f"pages {numbers[0]} to {numbers[-1]}"
    if len(numbers) == 2:
        words = f"pages {numbers[0]} and {numbers[1]}"
    return f"{words}, read by OCR" if any(page.ocr is not None for page in pages) else words
