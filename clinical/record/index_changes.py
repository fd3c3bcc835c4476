"""Brings the index up to the record: reads due changes, embeds what is new, writes, flushes, marks.

State decides, not the change row: a passage that is still in the record is written, one that is gone
is deleted. So a change may be applied twice, or late, without harm.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction
from django.db.models import F

from clinical.domain.passages import Part, PassagePoint
from clinical.guidelines.index import apply_guidelines
from clinical.keys import Cipher, cipher_of_id
from clinical.models import IndexChange, PassageRow, PassageVector
from clinical.ports import BackendUnavailableError, backends
from clinical.record.selectors import part_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from numpy.typing import NDArray

BATCH: Final = 128
# After so many failures of its own a change waits for the next sweep instead of being tried at once.
AT_ONCE: Final = 3

logger = logging.getLogger(__name__)


def apply_due(*, now: datetime) -> int:
    """Apply one batch of due changes; returns how many were applied, 0 when none is left to try at once.

    A change that fails for a reason of its own (a damaged version, a destroyed key) does not hold up the
    others: the batch is applied again one by one, and what failed goes to the back of the line.

    Raises:
        clinical.ports.BackendUnavailableError: the vector service did not answer; nothing was marked.
    """
    due = list(IndexChange.objects.filter(failures__lt=AT_ONCE).order_by("failures", "pk")[:BATCH])
    if not due:
        return 0
    try:
        _apply(due, now=now)
    except BackendUnavailableError:
        raise
    except Exception as error:  # whatever it is, it must not stop the changes behind it
        logger.warning("a batch of index changes failed (%s); applying them one by one", type(error).__name__)
        for change in due:
            _apply_alone(change, now=now)
    return len(due)


def retry_failed() -> int:
    """Let changes that have failed be tried again; returns how many there are."""
    return IndexChange.objects.filter(failures__gte=AT_ONCE).update(failures=AT_ONCE - 1)


def _apply_alone(change: IndexChange, *, now: datetime) -> None:
    try:
        _apply([change], now=now)
    except BackendUnavailableError:
        raise
    except Exception as error:  # counted, named by class only, and shown as unapplied
        logger.warning("index change %d failed: %s", change.pk, type(error).__name__)
        IndexChange.objects.filter(pk=change.pk).update(failures=F("failures") + 1)


def _apply(due: Sequence[IndexChange], *, now: datetime) -> None:
    index = backends().index
    index.ensure_collections()
    wanted = {change.passage_id for change in due if change.collection == IndexChange.Collection.PASSAGES}
    rows = list(PassageRow.objects.filter(id__in=wanted).select_related("version"))
    if rows:
        index.upsert_passages(points_of(rows))
    if gone := wanted - {row.id for row in rows}:
        index.delete_passages(sorted(gone))
    apply_guidelines({c.passage_id for c in due if c.collection == IndexChange.Collection.GUIDELINES}, now=now)
    # A passage may have left the record, and another worker may have told the index so, between our
    # reading and our writing: look again after the write, so that no orphan stays.
    kept = set(PassageRow.objects.filter(id__in=wanted).values_list("id", flat=True))
    if orphaned := {row.id for row in rows} - kept:
        index.delete_passages(sorted(orphaned))
    with transaction.atomic():
        PassageRow.objects.filter(id__in=kept & {row.id for row in rows}).update(indexed_at=now)
        IndexChange.objects.filter(pk__in=[change.pk for change in due]).delete()


def points_of(rows: Sequence[PassageRow]) -> list[PassagePoint]:
    """Return the points of these passages; vectors come from SQL where they were computed before."""
    embedder = backends().embedder
    texts = _texts(rows)
    dense = _dense(rows, texts)
    sparse = embedder.sparse_documents([texts[row.id] for row in rows])
    return [
        PassagePoint(
            passage_id=row.id,
            tenant=row.patient_id,
            resource_type=row.version.resource_type,
            labels=tuple(row.version.labels),
            dense=tuple(dense[row.id].tolist()),
            sparse_indices=weights.indices,
            sparse_values=weights.values,
        )
        for row, weights in zip(rows, sparse, strict=True)
    ]


def _texts(rows: Sequence[PassageRow]) -> dict[UUID, str]:
    parts: dict[tuple[int, str], str] = {}
    texts = {}
    for row in rows:
        key = (row.version_id, row.part)
        if key not in parts:
            parts[key] = part_text(row.version, Part(row.part))
        texts[row.id] = parts[key][row.start : row.end]
    return texts


def _dense(rows: Sequence[PassageRow], texts: dict[UUID, str]) -> dict[UUID, NDArray[np.float32]]:
    embedder = backends().embedder
    ciphers: dict[UUID, Cipher] = {row.patient_id: cipher_of_id(row.patient_id) for row in rows}
    held = {
        (vector.patient_id, vector.content_digest): np.frombuffer(
            ciphers[vector.patient_id].decrypt(vector.vector, binding=_binding(vector.content_digest)),
            dtype=np.float32,
        )
        for vector in PassageVector.objects.filter(
            patient_id__in=ciphers,
            content_digest__in={row.content_digest for row in rows},
            embedder_digest=embedder.digest,
        )
    }
    missing = {(r.patient_id, r.content_digest): r for r in rows if (r.patient_id, r.content_digest) not in held}
    if missing:
        fresh = embedder.embed([texts[row.id] for row in missing.values()])
        held.update(zip(missing, fresh, strict=True))
        PassageVector.objects.bulk_create(
            [
                PassageVector(
                    patient_id=patient_id,
                    content_digest=digest,
                    embedder_digest=embedder.digest,
                    vector=ciphers[patient_id].encrypt(
                        held[patient_id, digest].astype(np.float32).tobytes(), binding=_binding(digest)
                    ),
                )
                for patient_id, digest in missing
            ],
            ignore_conflicts=True,
        )
    return {row.id: held[row.patient_id, row.content_digest] for row in rows}


def _binding(content_digest: str) -> str:
    return f"vector {content_digest}"
