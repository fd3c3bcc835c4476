"""Receipts of single resources that their source has deleted, marked as entered in error, or restricted by a label."""

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
LABEL_ADDED: Final = "label-added"
LABEL_REMOVED: Final = "label-removed"


def note_deletions(replaced: Sequence[tuple[ResourceVersion, Prepared]], *, now: datetime) -> None:
    """Write a receipt for each version that a deletion, an entry in error or a security label takes out of the answers.

    A label that was taken away again leaves one too: what was hidden is found from then on. Called before the
    version's facts and passages go, in the caller's transaction.

    Args:
        replaced: rows of the database, each with the version that takes its place.
        now: timezone-aware.
    """
    ended = [(row, by, reason) for row, by in replaced if (reason := _reason(row, by))]
    if not ended:
        return
    ids = [row.pk for row, _, _ in ended]
    facts = Counter(FactRow.objects.filter(version_id__in=ids).values_list("version_id", flat=True))
    passages = Counter(PassageRow.objects.filter(version_id__in=ids).values_list("version_id", flat=True))
    DeletionReceipt.objects.bulk_create(
        [
            DeletionReceipt(
                kind=DeletionReceipt.Kind.RESOURCE,
                patient_id=row.patient_id,
                resource=row.reference[:200],
                reason=reason,
                user_id=f"feed:{by.incoming.feed}"[:150],
                begun_at=now,
                finished_at=now,
                before=_counts(facts[row.pk], passages[row.pk], restricted=row.restricted and not by.incoming.deleted),
                # An entry in error is kept as a fact that says so, and is answered from no more.
                after=_counts(len(by.facts), len(by.passages), restricted=by.restricted),
            )
            for row, by, reason in ended
        ]
    )


def _reason(row: ResourceVersion, by: Prepared) -> str:
    """Return why a receipt is due; "" for an ordinary new version."""
    if by.incoming.deleted:
        return "deleted"
    if by.status == _IN_ERROR:
        return _IN_ERROR
    if by.restricted == row.restricted:
        return ""
    return LABEL_ADDED if by.restricted else LABEL_REMOVED


def _counts(facts: int, passages: int, *, restricted: bool) -> dict[str, int]:
    """Return what can be found; what a label hides is held, and counted apart."""
    if not restricted:
        return {"facts": facts, "passages": passages}
    return {"facts": 0, "passages": 0, "hidden_facts": facts, "hidden_passages": passages}
