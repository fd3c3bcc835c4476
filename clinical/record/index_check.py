"""Compares the record with the index, and rebuilds the index from the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from clinical.models import GuidelinePassageRow, IndexChange, PassageRow
from clinical.ports import backends

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

CHUNK: Final = 2000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Passages the index lacks, holds without the record, or holds under another patient."""

    missing: list[UUID]
    orphaned: list[UUID]
    stale: list[UUID]
    due: int

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same."""
        return not (self.missing or self.orphaned or self.stale)


def compare() -> Comparison:
    """Read both sides.

    Raises:
        clinical.ports.BackendUnavailableError: the vector service did not answer.
    """
    index = backends().index
    index.ensure_collections()
    held = dict(index.passage_ids())
    record = dict(PassageRow.objects.values_list("id", "patient_id"))
    library = set(GuidelinePassageRow.objects.values_list("id", flat=True))
    held_library = set(index.guideline_ids())
    return Comparison(
        missing=sorted((record.keys() - held.keys()) | (library - held_library)),
        orphaned=sorted((held.keys() - record.keys()) | (held_library - library)),
        stale=sorted(one for one in record.keys() & held.keys() if record[one] != held[one]),
        due=IndexChange.objects.count(),
    )


def notice_losses(*, now: datetime) -> int:
    """Write a change for every passage the index lost (a shard that would not load, a folder that is gone).

    Asked often, so it counts first and reads both sides only when the counts differ. While changes are
    due they must differ, and nothing is done.

    Returns:
        How many changes were written.

    Raises:
        clinical.ports.BackendUnavailableError: the vector service did not answer.
    """
    if IndexChange.objects.exists():
        return 0
    index = backends().index
    index.ensure_collections()
    if index.held() == (PassageRow.objects.count(), GuidelinePassageRow.objects.count()):
        return 0
    return mend(compare(), now=now)


def mend(comparison: Comparison, *, now: datetime) -> int:
    """Write a change for everything that differs; returns how many. The index step applies them."""
    library = set(GuidelinePassageRow.objects.values_list("id", flat=True))
    held_library = set(backends().index.guideline_ids())
    changes = [
        IndexChange(
            collection=(
                IndexChange.Collection.GUIDELINES
                if one in library or one in held_library
                else IndexChange.Collection.PASSAGES
            ),
            operation=IndexChange.Operation.UPSERT,
            passage_id=one,
            created_at=now,
        )
        for one in [*comparison.missing, *comparison.orphaned, *comparison.stale]
    ]
    IndexChange.objects.bulk_create(changes, batch_size=CHUNK)
    return len(changes)


def note_everything(*, now: datetime) -> int:
    """Write a change for every passage of the record and the library; returns how many."""
    total = 0
    for collection, rows in (
        (IndexChange.Collection.PASSAGES, PassageRow.objects),
        (IndexChange.Collection.GUIDELINES, GuidelinePassageRow.objects),
    ):
        ids = list(rows.values_list("id", flat=True))
        for start in range(0, len(ids), CHUNK):
            with transaction.atomic():
                IndexChange.objects.bulk_create(
                    [
                        IndexChange(
                            collection=collection,
                            operation=IndexChange.Operation.UPSERT,
                            passage_id=one,
                            created_at=now,
                        )
                        for one in ids[start : start + CHUNK]
                    ]
                )
        total += len(ids)
    return total
