"""Patient-scoped hybrid retrieval at 100,000 passages against the raw query batch over the same socket."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from qdrant_client import models

from appliance.backends.qdrant import QdrantBackend
from appliance.backends.qdrant_schema import within_patient
from appliance.bench.row import Row, print_rows
from appliance.bench.vector_process import KEY, StubEmbedder, passages, vector_service
from clinical.domain.access import AccessGrant, AccessRequest, Purpose, Role, authorise
from clinical.domain.passages import RetrievalQuery

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 40  # passages a question asks for


def _grant(patient: UUID) -> AccessGrant:
    request = AccessRequest("bench", frozenset({Role.CLINICIAN}), patient, Purpose.TREATMENT, {"bench"})
    return authorise(request, now=datetime.now(UTC))


def _settled(backend: QdrantBackend) -> None:
    """Wait until the background compaction has changed over and nothing more is due."""
    seen, same = (-1, -1), 0
    while same < 8:
        info = backend.client.get_collection(backend.passages)
        now = (info.segments_count, info.indexed_vectors_count or 0)
        same = same + 1 if now == seen else 0
        seen = now
        time.sleep(1)


def _interleaved(
    first: Callable[[], object], second: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Return both lists of times in milliseconds, the two taking turns so that both meet the same machine."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 50):
        for kept, action in zip(times, (first, second), strict=True):
            started = time.perf_counter()
            action()
            if turn >= 50:  # the first rounds warm both up
                kept.append((time.perf_counter() - started) * 1e3)
    return times


def run(*, count: int = 100_000, tenants: int = 200, rounds: int = 1000) -> list[Row]:
    """Measure and return p50 and p99 in milliseconds; embedding is stubbed on both sides."""
    embedder = StubEmbedder()
    with vector_service() as url:
        backend = QdrantBackend(url, KEY, embedder, timeout_s=60)
        backend.ensure_collections()
        for batch in passages(count, tenants):
            backend.upsert_passages(batch)
        _settled(backend)
        grants = [_grant(UUID(int=number + 1)) for number in range(tenants)]
        turn = iter(range(10**9))

        def raw() -> object:
            grant = grants[next(turn) % tenants]
            sparse = embedder.sparse_query("")
            within = within_patient(grant.patient_id, hidden_labels=grant.hidden_labels, resource_types=())
            return backend.raw_batch(
                embedder.embed([""])[0].tolist(),
                models.SparseVector(indices=[*sparse.indices], values=[*sparse.values]),
                within,
                LIMIT,
            )

        def ours() -> object:
            return backend.retrieve(RetrievalQuery("q", limit=LIMIT), grant=grants[next(turn) % tenants])

        baseline, value = _interleaved(raw, ours, rounds)
    note = f"{count} passages, {tenants} patients, limit {LIMIT}; baseline: raw query batch, same client and socket"
    return [
        Row(
            name=f"patient-scoped hybrid retrieval, {label}",
            value=round(float(np.percentile(value, percent)), 3),
            unit="ms",
            baseline=round(float(np.percentile(baseline, percent)), 3),
            ratio=round(float(np.percentile(value, percent) / np.percentile(baseline, percent)), 2),
            target="<= 2",
            note=note,
        )
        for label, percent in (("p50", 50), ("p99", 99))
    ]


if __name__ == "__main__":
    print_rows(run())
