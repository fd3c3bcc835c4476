"""Guideline documents: Markdown, HTML and PDF, each with its provenance.

A text names its provenance in front matter (`kind: guideline`), HTML in `<meta name="guideline:edition"
...>`, and for any of them the operator may declare it. HTML and PDF that nobody declared are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.front_matter import split_front_matter
from ingestion.domain.guideline_text import (
    Heading,
    guideline_item,
    is_declared,
    markdown_headings,
    sections_of,
)
from ingestion.domain.items import RejectedItem
from ingestion.parsers.html_text import read_html
from ingestion.parsers.pdf_text import UnreadablePdfError, read_pdf
from ingestion.parsers.port import UTF8_BOM, read_whole
from ingestion.parsers.text_bytes import UnreadableTextError, decode_text, looks_like_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

MAX_DOCUMENT_BYTES = 128 * 2**20
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|h1|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
_NOT_DECLARED = RejectedItem("", "not-declared-guideline")


def _read(source: BinaryIO, context: ParseContext) -> bytes | None:
    return read_whole(source, min(MAX_DOCUMENT_BYTES, context.max_file_bytes))


class MarkdownGuideline:
    """Text with `kind: guideline` in its front matter, or declared by the operator."""

    name = "guideline-markdown"

    def score(self, head: bytes, filename: str) -> int:
        """Return 70 when the front matter says so."""
        if not looks_like_prose(head):
            return 0
        fields, _ = split_front_matter(head.removeprefix(UTF8_BOM).decode("utf-8", "replace"))
        return 70 if is_declared(fields) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one guideline; its text is the body as written, without the front matter."""
        content = _read(source, context)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        try:
            whole = decode_text(content).text
        except UnreadableTextError as error:
            yield RejectedItem("", error.reason, f"byte {error.offset}")
            return
        fields, start = split_front_matter(whole)
        text = whole[start:]
        headings = markdown_headings(text)
        if headings:
            fields.setdefault("title", headings[0].words)
        yield guideline_item(text, sections_of(text, headings), own=fields, declared=context.guideline)


class HtmlGuideline:
    """HTML with `guideline:` meta fields, or declared by the operator."""

    name = "guideline-html"

    def score(self, head: bytes, filename: str) -> int:
        """Return 80 when the file begins as HTML."""
        return 80 if _HTML.match(head.removeprefix(UTF8_BOM)) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one guideline."""
        content = _read(source, context)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        document = read_html(content)
        if context.guideline is None and not is_declared(document.fields):
            yield _NOT_DECLARED
            return
        sections = sections_of(document.text, document.headings)
        yield guideline_item(document.text, sections, own=document.fields, declared=context.guideline)


class PdfGuideline:
    """PDF with a text layer, declared by the operator. Each page is a section."""

    name = "guideline-pdf"

    def score(self, head: bytes, filename: str) -> int:
        """Return 90 for PDF's signature within the first 1,024 bytes."""
        return 90 if b"%PDF-" in head[:1024] else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one guideline."""
        if context.guideline is None:
            yield _NOT_DECLARED
            return
        content = _read(source, context)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        try:
            pdf = read_pdf(content)
        except UnreadablePdfError as error:
            yield RejectedItem("", error.reason, error.detail)
            return
        pages = [Heading(start, 1, f"Page {number}") for number, start in enumerate(pdf.starts, 1)]
        yield guideline_item(pdf.text, sections_of(pdf.text, pages), own={}, declared=context.guideline)
