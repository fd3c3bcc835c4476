"""Brings the guideline collection up to the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clinical.domain.passages import GuidelinePoint
from clinical.models import GuidelinePassageRow
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID


def apply_guidelines(changed: set[UUID], *, now: datetime) -> None:
    """Write the passages that are in the library, delete the others."""
    if not changed:
        return
    rows = list(GuidelinePassageRow.objects.filter(id__in=changed).select_related("guideline"))
    if rows:
        backends().index.upsert_guidelines(guideline_points(rows))
        GuidelinePassageRow.objects.filter(id__in=[row.id for row in rows]).update(indexed_at=now)
    if gone := changed - {row.id for row in rows}:
        backends().index.delete_guidelines(sorted(gone))


def guideline_points(rows: Sequence[GuidelinePassageRow]) -> list[GuidelinePoint]:
    """Return the points of these passages; embeds those whose vector is missing or another embedder's."""
    embedder = backends().embedder
    texts = {row.id: row.guideline.text[row.start : row.end] for row in rows}
    missing = [row for row in rows if row.embedder_digest != embedder.digest or row.vector is None]
    if missing:
        fresh = embedder.embed([texts[row.id] for row in missing])
        for row, vector in zip(missing, fresh, strict=True):
            row.vector, row.embedder_digest = vector.astype(np.float32).tobytes(), embedder.digest
        GuidelinePassageRow.objects.bulk_update(missing, ["vector", "embedder_digest"])
    sparse = embedder.sparse_documents([texts[row.id] for row in rows])
    return [
        GuidelinePoint(
            passage_id=row.id,
            edition=row.guideline.edition,
            jurisdiction=row.guideline.jurisdiction,
            approver=row.guideline.approver,
            expires=row.guideline.expires,
            dense=tuple(np.frombuffer(bytes(row.vector or b""), dtype=np.float32).tolist()),
            sparse_indices=weights.indices,
            sparse_values=weights.values,
        )
        for row, weights in zip(rows, sparse, strict=True)
    ]
