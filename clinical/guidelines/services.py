"""Takes guideline editions into the library and retires replaced ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from clinical.domain import chunks
from clinical.domain.passages import NAMESPACE
from clinical.domain.versions import Effect
from clinical.models import Answer, AnswerCitation, GuidelineEdition, GuidelinePassageRow, IndexChange

if TYPE_CHECKING:
    from datetime import datetime

    from clinical.domain.guideline import GuidelineDocument


def store_edition(document: GuidelineDocument, *, now: datetime) -> Effect:
    """Store an edition in the caller's transaction; the same text and provenance again changes nothing."""
    provenance = (document.source, document.approver, document.jurisdiction, document.expires.isoformat())
    digest = hashlib.sha256("\0".join([document.text, *provenance]).encode()).hexdigest()
    held = GuidelineEdition.objects.filter(title=document.title, edition=document.edition)
    current = held.filter(is_current=True).first()
    if current is not None and current.sha256 == digest:
        return Effect.UNCHANGED
    _mark_answers(list(GuidelineEdition.objects.filter(title=document.title, is_current=True)), now=now)
    if current is not None:
        _retire(current, now=now)
    row = GuidelineEdition.objects.create(
        title=document.title,
        edition=document.edition,
        source=document.source,
        approver=document.approver,
        jurisdiction=document.jurisdiction,
        expires=document.expires,
        text=document.text,
        sha256=digest,
        number=held.count() + 1,
        stored_at=now,
    )
    passages = [
        GuidelinePassageRow(
            # Title and edition too: two documents may share every word.
            id=uuid5(NAMESPACE, f"guideline {document.title}|{document.edition}|{digest}:{start}:{end}"),
            guideline=row,
            start=start,
            end=end,
            heading=heading[:255],
        )
        for heading, start, end in _passages(document)
    ]
    GuidelinePassageRow.objects.bulk_create(passages)
    _note_changes([passage.id for passage in passages], IndexChange.Operation.UPSERT, now=now)
    return Effect.STORED


def _passages(document: GuidelineDocument) -> list[tuple[str, int, int]]:
    """Cut each section into passages; a document without sections is one section."""
    ranges = [(s.heading, s.start, s.end) for s in document.sections] or [("", 0, len(document.text))]
    return [
        (heading, start + chunk.start, start + chunk.end)
        for heading, start, end in ranges
        for chunk in chunks.chunk(document.text[start:end])
    ]


def _retire(edition: GuidelineEdition, *, now: datetime) -> None:
    passages = list(edition.passages.values_list("id", flat=True))
    _note_changes(passages, IndexChange.Operation.DELETE, now=now)
    edition.passages.all().delete()
    edition.is_current = False
    edition.save(update_fields=["is_current"])


def _mark_answers(older: list[GuidelineEdition], *, now: datetime) -> None:
    """Mark the answers that quote editions of a guideline of which a newer one has come."""
    citing = AnswerCitation.objects.filter(version_key__in=[one.key for one in older]).values("answer_id")
    Answer.objects.filter(id__in=citing, stale_since=None).update(stale_since=now, stale_reason="replaced")


def _note_changes(ids: list[UUID], operation: IndexChange.Operation, *, now: datetime) -> None:
    IndexChange.objects.bulk_create(
        [
            IndexChange(
                collection=IndexChange.Collection.GUIDELINES,
                operation=operation,
                passage_id=one,
                created_at=now,
            )
            for one in ids
        ]
    )
