"""Guideline documents: Markdown, HTML, PDF, DOCX and RTF, each with its provenance.

A text names its provenance in front matter (`kind: guideline`), HTML in `<meta name="guideline:edition"
...>`, and for any of them the operator may declare it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.documents.extracted import ExtractionError
from ingestion.domain.documents.kinds import HTML, kind_of
from ingestion.domain.front_matter import split_front_matter
from ingestion.domain.guideline_text import (
    Heading,
    guideline_item,
    is_declared,
    markdown_headings,
    sections_of,
)
from ingestion.domain.items import RejectedItem
from ingestion.parsers.extraction.run import extract
from ingestion.parsers.html_text import read_html
from ingestion.parsers.port import UTF8_BOM, read_whole
from ingestion.parsers.text_bytes import UnreadableTextError, decode_text, looks_like_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

MAX_DOCUMENT_BYTES = 128 * 2**20
_HEAD_BYTES = 64 * 1024


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
        """Return 80 when HTML says so itself."""
        if kind_of(head) != HTML or b"guideline:" not in head.lower():
            return 0
        return 80 if is_declared(read_html(head).fields) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one guideline."""
        content = _read(source, context)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        document = read_html(content)
        sections = sections_of(document.text, document.headings)
        yield guideline_item(document.text, sections, own=document.fields, declared=context.guideline)


class DocumentGuideline:
    """PDF with a text layer, DOCX or RTF, declared by the operator. Each page of a PDF is a section.

    Pictures are not read: what a recogniser misread must not become guidance.
    """

    name = "guideline-document"

    def score(self, head: bytes, filename: str) -> int:
        """Return 0: nothing in such a file says that it is a guideline, only the operator does."""
        return 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one guideline."""
        content = _read(source, context)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        try:
            found = extract(content, kind_of(content[:_HEAD_BYTES]), ocr=False, still_working=context.still_working)
        except ExtractionError as error:
            yield RejectedItem("", error.reason, error.place)
            return
        empty = sum(not page.text for page in found.pages)
        if empty * 2 > len(found.pages):  # a scan; taking the rest alone would hide what is missing
            yield RejectedItem("", "no-text-layer", f"{empty} of {len(found.pages)} pages")
            return
        text, pages = "", []
        for number, page in enumerate(found.pages, start=1):
            pages.append(Heading(len(text), 1, f"Page {number}"))
            text += page.text + "\n\n"
        text = text.rstrip()
        sections = sections_of(text, pages if found.paged else [])
        yield guideline_item(text, sections, own={}, declared=context.guideline)
