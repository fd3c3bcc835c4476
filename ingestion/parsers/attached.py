"""Attachments of the resources that other parsers found: checked, and their words put beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from clinical.domain.json_spans import SpanNotFoundError
from ingestion.domain.documents.attachments import (
    HOLDERS,
    AttachmentError,
    documents_in,
    may_hold_documents,
    text_attachment,
    with_texts,
)
from ingestion.domain.documents.extracted import ExtractionError
from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.parsers.extraction.run import extract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingestion.domain.documents.attachments import Document, Json
    from ingestion.domain.items import Item, ParseContext


def with_words(items: Iterable[Item], context: ParseContext) -> Iterator[Item]:
    """Yield every item; a document inside a resource gets its words put beside it.

    A resource whose attachment is not what it says (hash, size, base64) is refused. One whose document cannot
    be read goes in without those words. Which documents and pages those are, and why, comes after the last item:
    what a recogniser manages may differ from one run to the next, and must not move the places of the others.
    """
    faults: list[RejectedItem] = []
    for item in items:
        if isinstance(item, ResourceItem) and may_hold_documents(item.resource_type, item.content):
            yield _read(item, context, faults)
        else:
            yield item
    yield from faults


def _read(item: ResourceItem, context: ParseContext, faults: list[RejectedItem]) -> Item:
    """Return the resource with the words of its documents, adding what could not be read to `faults`."""
    try:
        documents = list(documents_in(item.resource_type, item.content))
    except AttachmentError as error:
        return RejectedItem(item.position, error.reason, error.path)
    except msgspec.MsgspecError:
        return item  # valid R4 in a form of JSON that holds no data here
    texts: list[Json] = []
    for document in documents:
        text, missing = _words_of(document, item, context)
        texts += text
        faults += missing
    if not texts:
        return item
    try:
        content = with_texts(item.resource_type, item.content, texts)
    except SpanNotFoundError as error:
        faults.append(RejectedItem(item.position, "text-has-no-place", error.reason))
        return item
    if len(content) > context.max_resource_bytes:
        faults.append(RejectedItem(item.position, "text-too-large", item.resource_type))
        return item
    return replace(item, content=content)


def _words_of(document: Document, item: ResourceItem, context: ParseContext) -> tuple[list[Json], list[RejectedItem]]:
    """Return the attachment with the words, if any, and what could not be read."""
    path = f"{item.resource_type}.{HOLDERS[item.resource_type]}[{document.index}]"
    try:
        found = extract(
            document.content,
            document.kind,
            languages=context.ocr_languages,
            still_working=context.still_working,
        )
    except ExtractionError as error:
        return [], [RejectedItem(_at(item.position, error.place), error.reason, path)]
    texts = [text_attachment(found, document.index, document.title)] if found.has_words else []
    faults = [RejectedItem(_at(item.position, fault.place), fault.reason, path) for fault in found.faults]
    return texts, faults


def _at(position: str, place: str) -> str:
    return f"{position} {place}".strip() if place.startswith("page") else position
