"""Passage search and index on the vector service or a Qdrant server: the Retriever and PassageIndex ports.

qdrant_client and llama_index are imported at first use; a process that asks nothing never loads them.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from clinical.domain.passages import PassageHit
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from qdrant_client import models

    from appliance.backends.qdrant_schema import LeanClient
    from appliance.backends.qdrant_store import LeanQdrantStore
    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import GuidelinePoint, PassagePoint, RetrievalQuery
    from clinical.ports import Embedder

AnyPoint = TypeVar("AnyPoint", "PassagePoint", "GuidelinePoint")
SEARCH_S = 1.0  # seconds a question waits for the index before the record itself is read
PAUSE_S = 5.0  # seconds without searches after one was waited for in vain
BATCH = 256  # points an upsert
PAGE = 1000  # points a scroll or delete


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the client's errors into the port's, with a code and nothing from the request."""
    import httpx
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        raise BackendUnavailableError("qdrant", f"http-{error.status_code}") from None
    except (ResponseHandlingException, httpx.HTTPError):
        raise BackendUnavailableError("qdrant", "unreachable") from None


class QdrantBackend:
    """Retriever and PassageIndex. Another embedder means other collections, named by its digest."""

    def __init__(self, url: str, api_key: str, embedder: Embedder, timeout_s: float = 20.0) -> None:
        """Remember where the service is; nothing connects before the first call.

        Args:
            url: `http://HOST:PORT` or `unix:PATH`.
            api_key: the service's key.
            embedder: makes the query vectors; its digest names the collections.
            timeout_s: seconds for one write, which may wait for a compaction; searches wait SEARCH_S.
        """
        self._url, self._api_key, self._timeout_s = url, api_key, timeout_s
        self._embedder = embedder
        self._first = threading.RLock()
        self._connected: dict[float, LeanClient] = {}
        self._paused_until = 0.0
        self._stores: dict[str, LeanQdrantStore] = {}

    @property
    def passages(self) -> str:
        """Name of the patients' collection for this embedder."""
        return f"passages-{self._embedder.digest[:8]}"

    @property
    def guidelines(self) -> str:
        """Name of the guidelines' collection for this embedder."""
        return f"guidelines-{self._embedder.digest[:8]}"

    @property
    def client(self) -> LeanClient:
        """The client of writes, made at first use."""
        return self._client(self._timeout_s)

    @property
    def searcher(self) -> LeanClient:
        """The client of what somebody waits for, made at first use."""
        return self._client(SEARCH_S)

    def _client(self, timeout_s: float) -> LeanClient:
        with self._first:
            if timeout_s not in self._connected:
                from appliance.backends.qdrant_schema import connect

                self._connected[timeout_s] = connect(self._url, self._api_key, timeout_s)
            return self._connected[timeout_s]

    def _store(self, collection: str) -> LeanQdrantStore:
        with self._first:
            if collection not in self._stores:
                from appliance.backends.qdrant_store import open_store

                self.ensure_collections()
                with _translated():
                    self._stores[collection] = open_store(self.searcher, collection, self._embedder)
            return self._stores[collection]

    def retrieve(self, query: RetrievalQuery, *, grant: AccessGrant) -> list[PassageHit]:
        """Return passages of the granted patient, best first, without hidden labels.

        Raises:
            BackendUnavailableError: the vector service did not answer, or answered with an error.
        """
        from appliance.backends.qdrant_schema import TENANT, within_patient

        within = within_patient(
            grant.patient_id, hidden_labels=grant.hidden_labels, resource_types=query.resource_types
        )
        found = self._search(self.passages, query.text, within, query.limit)
        # The service filtered already; an answer about somebody else must not pass unnoticed.
        if any(payload.get(TENANT) != str(grant.patient_id) for _, _, payload in found):
            raise BackendUnavailableError("qdrant", "foreign-tenant")
        return [PassageHit(passage_id=UUID(point), score=score) for point, score, _ in found]

    def retrieve_guidelines(self, text: str, *, today: date, limit: int) -> list[PassageHit]:
        """Return passages of guideline editions that have not expired on `today`, best first.

        Raises:
            BackendUnavailableError: as for `retrieve`.
        """
        from appliance.backends.qdrant_schema import valid_on

        found = self._search(self.guidelines, text, valid_on(today), limit)
        return [PassageHit(passage_id=UUID(point), score=score) for point, score, _ in found]

    def _search(
        self, collection: str, text: str, within: models.Filter, limit: int
    ) -> list[tuple[str, float, dict[str, object]]]:
        from appliance.backends.qdrant_store import search

        if time.monotonic() < self._paused_until:
            raise BackendUnavailableError("qdrant", "paused")
        vector = self._embedder.embed([text])[0]
        begun = time.monotonic()
        try:
            store = self._store(collection)
            begun = time.monotonic()  # the first search of a process loads the library before
            with _translated():
                return search(store, text, vector, within=within, limit=limit)
        except BackendUnavailableError:
            # One question waited for a service that hangs; those after it do not.
            if time.monotonic() - begun >= SEARCH_S:
                self._paused_until = time.monotonic() + PAUSE_S
            raise

    def ensure_collections(self) -> None:
        """Create both collections and their payload indexes where missing."""
        from appliance.backends import qdrant_schema as schema

        self._ensure(self.passages, schema.TENANT, schema.PASSAGE_INDEXES)
        self._ensure(self.guidelines, None, schema.GUIDELINE_INDEXES)

    def _ensure(self, name: str, tenant: str | None, indexes: Mapping[str, models.PayloadFieldSchema]) -> None:
        from qdrant_client.http.exceptions import UnexpectedResponse

        from appliance.backends.qdrant_schema import create

        with _translated():
            if not self.searcher.collection_exists(name):
                try:
                    create(
                        self.client,
                        name,
                        dimension=self._embedder.dimension,
                        tenant=tenant,
                        embedder=self._embedder.digest,
                    )
                except UnexpectedResponse as error:
                    if error.status_code != 409:  # another process of the same start was first
                        raise
            held = self.searcher.get_collection(name).payload_schema
            for field, schema in indexes.items():
                if field not in held:
                    self.client.create_payload_index(name, field, schema)

    def upsert_passages(self, points: Sequence[PassagePoint]) -> None:
        """Write patient passages; returns when the engine has flushed them to disk."""
        from appliance.backends.qdrant_schema import passage_json

        self._upsert(self.passages, points, passage_json)

    def upsert_guidelines(self, points: Sequence[GuidelinePoint]) -> None:
        """Write guideline passages; returns when the engine has flushed them to disk."""
        from appliance.backends.qdrant_schema import guideline_json

        self._upsert(self.guidelines, points, guideline_json)

    def _upsert(
        self, collection: str, points: Sequence[AnyPoint], as_json: Callable[[AnyPoint], dict[str, object]]
    ) -> None:
        client = self.client

        def send(start: int) -> None:
            client.upsert_lean(collection, [as_json(point) for point in points[start : start + BATCH]])

        # Two at a time: one is encoded here while the service writes and flushes the other.
        with _translated(), ThreadPoolExecutor(max_workers=2) as pool:
            for done in [pool.submit(send, start) for start in range(0, len(points), BATCH)]:
                done.result()

    def delete_passages(self, passage_ids: Sequence[UUID]) -> None:
        """Remove patient passages; returns when flushed. Unknown ids are ignored."""
        self._delete(self.passages, passage_ids)

    def delete_guidelines(self, passage_ids: Sequence[UUID]) -> None:
        """Remove guideline passages; returns when flushed. Unknown ids are ignored."""
        self._delete(self.guidelines, passage_ids)

    def _delete(self, collection: str, ids: Sequence[UUID]) -> None:
        with _translated():
            for start in range(0, len(ids), PAGE):
                self.client.delete(collection, [str(one) for one in ids[start : start + PAGE]], wait=True)

    def held(self) -> tuple[int, int]:
        """Return how many patient and guideline passages are held."""
        from qdrant_client.context_headers import headers

        with _translated(), headers({"x-scope": "verify"}):
            return self.client.count(self.passages).count, self.client.count(self.guidelines).count

    def passage_ids(self) -> Iterator[tuple[UUID, UUID]]:
        """Yield (passage id, tenant) of everything held; for verify_index only."""
        from appliance.backends.qdrant_schema import TENANT

        for record in self._all(self.passages, [TENANT]):
            yield UUID(str(record.id)), UUID(str((record.payload or {})[TENANT]))

    def guideline_ids(self) -> Iterator[UUID]:
        """Yield the id of every guideline passage held; for verify_index only."""
        for record in self._all(self.guidelines, []):
            yield UUID(str(record.id))

    def _all(self, collection: str, payload: list[str]) -> Iterator[models.Record]:
        from qdrant_client.context_headers import headers

        following: models.ExtendedPointId | None = None
        while True:
            # The header opens a scroll across tenants in the embedded service; a server ignores it.
            with _translated(), headers({"x-scope": "verify"}):
                page, following = self.client.scroll(
                    collection,
                    limit=PAGE,
                    offset=following,
                    with_payload=payload or False,
                    with_vectors=False,
                )
            yield from page
            if following is None:
                return

    def raw_batch(
        self, vector: Sequence[float], sparse: models.SparseVector, within: models.Filter, limit: int
    ) -> list[models.QueryResponse]:
        """Send the same two searches without LlamaIndex, fusion or ports: the benchmark's baseline."""
        from qdrant_client import models

        from appliance.backends.qdrant_schema import DENSE, SPARSE

        legs = ((DENSE, [*vector]), (SPARSE, sparse))
        return self.client.query_batch_points(
            self.passages,
            [
                models.QueryRequest(query=query, using=name, limit=limit, filter=within, with_payload=True)
                for name, query in legs
            ],
        )
