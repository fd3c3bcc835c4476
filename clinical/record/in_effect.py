"""The rows by which a version takes effect: typed facts, passages, and what the index has to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.models import FactRow, IndexChange, PassageRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from clinical.models import ResourceVersion
    from clinical.record.incoming import Prepared


def fact_rows(prepared: Prepared, row: ResourceVersion, owner: UUID) -> list[FactRow]:
    """Return the unsaved typed rows of a version of this patient's."""
    return [
        FactRow(patient_id=owner, version=row, ordinal=number, kind=fact.kind, payload=fact.payload)
        for number, fact in enumerate(prepared.facts)
    ]


def passage_rows(prepared: Prepared, row: ResourceVersion, owner: UUID) -> list[PassageRow]:
    """Return the unsaved passages of a version of this patient's."""
    return [
        PassageRow(
            id=passage.id,
            patient_id=owner,
            version=row,
            part=passage.part,
            start=passage.start,
            end=passage.end,
            section=passage.section,
            content_digest=passage.content_digest,
        )
        for passage in prepared.passages
    ]


def tell_index(operation: IndexChange.Operation, passages: Iterable[UUID], *, now: datetime) -> None:
    """Note for the index that passages came or went, in the caller's transaction."""
    IndexChange.objects.bulk_create(
        [
            IndexChange(collection=IndexChange.Collection.PASSAGES, operation=operation, passage_id=one, created_at=now)
            for one in passages
        ]
    )
