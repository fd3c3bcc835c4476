"""Patient-scoped hybrid retrieval at 100,000 passages against the raw query batch over the same socket."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import cycle
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import numpy as np
from qdrant_client import models

from appliance.backends.qdrant import QdrantBackend
from appliance.backends.qdrant_schema import DENSE, SPARSE, within_patient
from appliance.bench.row import Row, print_rows
from appliance.bench.vector_process import KEY, StubEmbedder, passages, vector_service
from clinical.domain.access import AccessGrant, AccessRequest, Purpose, Role, authorise
from clinical.domain.passages import RetrievalQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 40  # passages a question asks for
WARM_UP = 50  # rounds not counted


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


def _interleaved(actions: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Return the times of each action in milliseconds; they take turns, so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + WARM_UP):
        for kept, action in zip(times, actions, strict=True):
            started = time.perf_counter()
            action()
            if turn >= WARM_UP:
                kept.append((time.perf_counter() - started) * 1e3)
    return times


class Questions:
    """The same stream of questions in three forms: through our port, the raw client, the bare socket."""

    def __init__(self, backend: QdrantBackend, url: str, tenants: int) -> None:
        """Args: backend: filled with passages; url: of its service; tenants: patients asked about in turn."""
        self._backend, self._embedder = backend, StubEmbedder()
        self._grants = cycle([_grant(UUID(int=number + 1)) for number in range(tenants)])
        self._socket = HTTPConnection(url.removeprefix("http://"))
        self._bodies = cycle([self._body() for _ in range(200)])

    def _request(self) -> tuple[list[float], models.SparseVector, models.Filter]:
        grant, sparse = next(self._grants), self._embedder.sparse_query("")
        return (
            self._embedder.embed([""])[0].tolist(),
            models.SparseVector(indices=[*sparse.indices], values=[*sparse.values]),
            within_patient(grant.patient_id, hidden_labels=grant.hidden_labels, resource_types=()),
        )

    def _body(self) -> bytes:
        vector, sparse, within = self._request()
        searches = [
            models.QueryRequest(query=query, using=name, limit=LIMIT, filter=within, with_payload=True)
            for name, query in ((DENSE, vector), (SPARSE, sparse))
        ]
        return models.QueryRequestBatch(searches=searches).model_dump_json(exclude_none=True).encode()

    def ours(self) -> object:
        """Ask through the Retriever port."""
        return self._backend.retrieve(RetrievalQuery("q", limit=LIMIT), grant=next(self._grants))

    def client(self) -> object:
        """Send the raw query batch with qdrant-client."""
        return self._backend.raw_batch(*self._request(), LIMIT)

    def bare(self) -> object:
        """Send bytes made beforehand on a kept connection and decode the reply."""
        path = f"/collections/{self._backend.passages}/points/query/batch"
        headers = {"api-key": KEY, "content-type": "application/json"}
        self._socket.request("POST", path, body=next(self._bodies), headers=headers)
        return msgspec.json.decode(self._socket.getresponse().read())


def run(*, count: int = 100_000, tenants: int = 200, rounds: int = 1000) -> list[Row]:
    """Measure and return p50 and p99 in milliseconds; embedding is stubbed on all sides."""
    with vector_service() as url:
        backend = QdrantBackend(url, KEY, StubEmbedder(), timeout_s=60)
        backend.ensure_collections()
        for batch in passages(count, tenants):
            backend.upsert_passages(batch)
        _settled(backend)
        questions = Questions(backend, url, tenants)
        value, client, bare = _interleaved([questions.ours, questions.client, questions.bare], rounds)
    size = f"{count} passages, {tenants} patients, limit {LIMIT}"
    return [
        _row(f"patient-scoped hybrid retrieval against {name}, {label}", value, baseline, percent, size)
        for name, baseline in (("the raw client's batch", client), ("prepared bytes on a bare socket", bare))
        for label, percent in (("p50", 50), ("p99", 99))
    ]


def _row(name: str, value: list[float], baseline: list[float], percent: int, note: str) -> Row:
    ours, theirs = float(np.percentile(value, percent)), float(np.percentile(baseline, percent))
    return Row(name, round(ours, 3), "ms", round(theirs, 3), round(ours / theirs, 2), "<= 2", note)


if __name__ == "__main__":
    print_rows(run())
