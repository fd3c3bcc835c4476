"""Patient resources that go out of effect because their patient's record became part of another's, and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.keys import cipher_of
from clinical.models import FactRow, IndexChange, PassageRow, ResourceVersion
from clinical.record.in_effect import fact_rows, passage_rows, tell_index
from clinical.record.incoming import as_held, decode_resource, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from clinical.models import Patient


def take_out(ids: Iterable[int], *, now: datetime) -> None:
    """Take versions out of effect: they stay as history, and nothing of them is shown or found."""
    chosen = list(ids)
    FactRow.objects.filter(version_id__in=chosen).delete()
    passages = PassageRow.objects.filter(version_id__in=chosen)
    gone = list(passages.values_list("id", flat=True))
    passages.delete()
    tell_index(IndexChange.Operation.DELETE, gone, now=now)
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
        incoming = as_held(row, patient, content)
        prepared = prepare(incoming, cipher, decode_resource(content), {})
        ResourceVersion.objects.filter(pk=row.pk).update(is_current=True)
        FactRow.objects.bulk_create(fact_rows(prepared, row, patient.id))
        PassageRow.objects.bulk_create(passage_rows(prepared, row, patient.id))
        tell_index(IndexChange.Operation.UPSERT, [passage.id for passage in prepared.passages], now=now)
