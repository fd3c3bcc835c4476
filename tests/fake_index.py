"""An in-memory index and retriever that keep the promises of the ports; held to them by the contract suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clinical.domain.passages import PassageHit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from uuid import UUID

    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import GuidelinePoint, PassagePoint, RetrievalQuery
    from clinical.ports import Embedder


class MemoryIndex:
    """Implements PassageIndex and Retriever over two dictionaries."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.passages: dict[UUID, PassagePoint] = {}
        self.guidelines: dict[UUID, GuidelinePoint] = {}

    def ensure_collections(self) -> None:
        return

    def upsert_passages(self, points: Sequence[PassagePoint]) -> None:
        self.passages.update({point.passage_id: point for point in points})

    def upsert_guidelines(self, points: Sequence[GuidelinePoint]) -> None:
        self.guidelines.update({point.passage_id: point for point in points})

    def delete_passages(self, passage_ids: Sequence[UUID]) -> None:
        for one in passage_ids:
            self.passages.pop(one, None)

    def delete_guidelines(self, passage_ids: Sequence[UUID]) -> None:
        for one in passage_ids:
            self.guidelines.pop(one, None)

    def held(self) -> tuple[int, int]:
        return len(self.passages), len(self.guidelines)

    def passage_ids(self) -> Iterator[tuple[UUID, UUID]]:
        return iter([(point.passage_id, point.tenant) for point in self.passages.values()])

    def guideline_ids(self) -> Iterator[UUID]:
        return iter(list(self.guidelines))

    def retrieve(self, query: RetrievalQuery, *, grant: AccessGrant) -> list[PassageHit]:
        candidates = [
            point
            for point in self.passages.values()
            if point.tenant == grant.patient_id
            and not grant.hidden_labels & set(point.labels)
            and (not query.resource_types or point.resource_type in query.resource_types)
        ]
        return self._ranked(query.text, candidates)[: query.limit]

    def retrieve_guidelines(self, text: str, *, today: date, limit: int) -> list[PassageHit]:
        valid = [point for point in self.guidelines.values() if point.expires >= today]
        return self._ranked(text, valid)[:limit]

    def _ranked(self, text: str, points: Sequence[PassagePoint | GuidelinePoint]) -> list[PassageHit]:
        wanted = self._embedder.embed([text])[0]
        words = set(self._embedder.sparse_query(text).indices)
        hits = [
            PassageHit(
                point.passage_id,
                (float(np.dot(wanted, point.dense)) if point.dense else 0.0) + len(words & set(point.sparse_indices)),
            )
            for point in points
        ]
        return sorted(hits, key=lambda hit: -hit.score)
