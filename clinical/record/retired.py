"""Patient resources that go out of effect because their patient's record became part of another's, and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.keys import cipher_of
from clinical.models import FactRow, IndexChange, PassageRow, ResourceVersion
from clinical.record.incoming import Incoming, decode_resource, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from clinical.models import Patient


def take_out(ids: Iterable[int], *, now: datetime) -> None:
    """Take versions out of effect: they stay as history, and nothing of them is shown or found."""
    chosen = list(ids)
    FactRow.objects.filter(version_id__in=chosen).delete()
    passages = PassageRow.objects.filter(version_id__in=chosen)
    gone = list(passages.values_list("id", flat=True))
    passages.delete()
    _tell(IndexChange.Operation.DELETE, gone, now=now)
    ResourceVersion.objects.filter(pk__in=chosen).update(is_current=False)


def put_back(ids: Iterable[int], patient: Patient, *, now: datetime) -> None:
    """Let versions of this patient take effect again, where no newer one of the same resource came meanwhile."""
    cipher = cipher_of(patient)
    for row in ResourceVersion.objects.filter(pk__in=list(ids), patient=patient):
        same = ResourceVersion.objects.filter(
            server=row.server, resource_type=row.resource_type, logical_id=row.logical_id
        )
        if same.filter(is_current=True).exists():
            continue
        content = cipher.decrypt(row.content, binding=row.key)
        incoming = Incoming(
            patient=patient,
            server=row.server,
            resource_type=row.resource_type,
            logical_id=row.logical_id,
            content=content,
            deleted=False,
            feed=row.feed,
            original_sha256=row.original_sha256,
            position=row.original_position,
        )
        prepared = prepare(incoming, cipher, decode_resource(content), {})
        ResourceVersion.objects.filter(pk=row.pk).update(is_current=True)
        FactRow.objects.bulk_create(
            [
                FactRow(patient=patient, version=row, ordinal=number, kind=fact.kind, payload=fact.payload)
                for number, fact in enumerate(prepared.facts)
            ]
        )
        PassageRow.objects.bulk_create(
            [
                PassageRow(
                    id=passage.id,
                    patient=patient,
                    version=row,
                    part=passage.part,
                    start=passage.start,
                    end=passage.end,
                    section=passage.section,
                    content_digest=passage.content_digest,
                )
                for passage in prepared.passages
            ]
        )
        _tell(IndexChange.Operation.UPSERT, [passage.id for passage in prepared.passages], now=now)


def _tell(operation: IndexChange.Operation, passages: Iterable[UUID], *, now: datetime) -> None:
    IndexChange.objects.bulk_create(
        [
            IndexChange(collection=IndexChange.Collection.PASSAGES, operation=operation, passage_id=one, created_at=now)
            for one in passages
        ]
    )
