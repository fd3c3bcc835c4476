"""Receipts of single resources that their source has deleted or marked as entered in error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from clinical.models import DeletionReceipt, FactRow, PassageRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.models import ResourceVersion
    from clinical.record.incoming import Prepared

_IN_ERROR: Final = "entered-in-error"


def note_deletions(replaced: Sequence[tuple[ResourceVersion, Prepared]], *, now: datetime) -> None:
    """Write a receipt for each version that a deletion or an entry in error takes out of effect.

    Called before the version's facts and passages go, in the caller's transaction.

    Args:
        replaced: rows of the database, each with the version that takes its place.
        now: timezone-aware.
    """
    ended = [(row, by) for row, by in replaced if by.incoming.deleted or by.status == _IN_ERROR]
    if not ended:
        return
    ids = [row.pk for row, _ in ended]
    facts = Counter(FactRow.objects.filter(version_id__in=ids).values_list("version_id", flat=True))
    passages = Counter(PassageRow.objects.filter(version_id__in=ids).values_list("version_id", flat=True))
    DeletionReceipt.objects.bulk_create(
        [
            DeletionReceipt(
                kind=DeletionReceipt.Kind.RESOURCE,
                patient_id=row.patient_id,
                resource=row.reference[:200],
                reason="deleted" if by.incoming.deleted else _IN_ERROR,
                user_id=f"feed:{by.incoming.feed}"[:150],
                begun_at=now,
                finished_at=now,
                before={"facts": facts[row.pk], "passages": passages[row.pk]},
                # An entry in error is kept as a fact that says so, and is answered from no more.
                after={"facts": len(by.facts), "passages": len(by.passages)},
            )
            for row, by in ended
        ]
    )
