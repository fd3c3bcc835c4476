"""Chooses a file's parser by its content and runs it."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.documents.kinds import HTML, kind_of
from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.parsers.bulk_ndjson import BulkNdjson
from ingestion.parsers.ccda import Ccda
from ingestion.parsers.documents import Documents
from ingestion.parsers.fhir_json import FhirJson
from ingestion.parsers.guidelines import DocumentGuideline, HtmlGuideline, MarkdownGuideline
from ingestion.parsers.hl7v2 import Hl7V2
from ingestion.parsers.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingestion.domain.items import Item, ParseContext
    from ingestion.parsers.port import Parser

HEAD_BYTES = 256 * 1024
_ENTRY = re.compile(r"entry\[(\d+)\]")
_MARKDOWN_GUIDELINE = MarkdownGuideline()
_HTML_GUIDELINE = HtmlGuideline()
_DOCUMENT_GUIDELINE = DocumentGuideline()
PARSERS: tuple[Parser, ...] = (
    FhirJson(),
    BulkNdjson(),
    Hl7V2(),
    Ccda(),
    Notes(),
    Documents(),
    _MARKDOWN_GUIDELINE,
    _HTML_GUIDELINE,
)


def choose_parser(head: bytes, filename: str, context: ParseContext) -> Parser | None:
    """Return the parser that fits best, None when none does.

    What the operator declares to be a guideline is read as one even if it does not say so itself.
    """
    score, best = max(((p.score(head, filename), p) for p in PARSERS), key=lambda pair: pair[0])
    if score <= 0:
        return None
    if context.guideline is None:
        return best
    match best:
        case Notes():
            return _MARKDOWN_GUIDELINE
        case Documents():
            return _HTML_GUIDELINE if kind_of(head) == HTML else _DOCUMENT_GUIDELINE
        case _:
            return best


def parse_file(path: Path, context: ParseContext) -> Iterator[Item]:
    """Yield what a file holds; what cannot be taken in comes as RejectedItem, never as an exception.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as source:
        yield from parse_stream(source, path.name, context)


def parse_bytes(content: bytes, context: ParseContext, filename: str = "") -> Iterator[Item]:
    """Yield what an upload or a message holds; see `parse_file`."""
    yield from parse_stream(BytesIO(content), filename, context)


def parse_stream(source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
    """Yield what a seekable binary file holds; see `parse_file`."""
    head = source.read(HEAD_BYTES)
    source.seek(0)
    if not head.strip():
        yield RejectedItem("", "empty-file")
        return
    parser = choose_parser(head, filename, context)
    if parser is None:
        yield RejectedItem("", "unknown-format")
        return
    for item in parser.parse(source, filename, context):
        yield _as_told(item, context) if isinstance(item, ResourceItem) else item


def _as_told(item: ResourceItem, context: ParseContext) -> Item:
    """Return the resource on its sender's server, or refused where the door has refused its entry."""
    entry = _ENTRY.match(item.position) if context.refused else None
    if entry and (reason := context.refused.get(entry[1])):
        return RejectedItem(item.position, reason, item.resource_type)
    return item.placed(context.server)
