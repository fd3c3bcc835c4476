"""What the two collections hold, how a client is made, and the filters every search carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
from qdrant_client import QdrantClient, models

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from uuid import UUID

    from clinical.domain.passages import GuidelinePoint, PassagePoint

DENSE: Final = "dense"
SPARSE: Final = "sparse"
TENANT: Final = "patient_id"
KEYWORD: Final = models.PayloadSchemaType.KEYWORD
# No graph over resource types or labels: they are only ever combined with the tenant.
PLAIN_KEYWORD: Final = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, enable_hnsw=False)
PASSAGE_INDEXES: Final = {
    TENANT: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "resource_type": PLAIN_KEYWORD,
    "labels": PLAIN_KEYWORD,
}
GUIDELINE_INDEXES: Final = {
    "expires": models.PayloadSchemaType.INTEGER,
    "edition": KEYWORD,
    "jurisdiction": KEYWORD,
}
# A graph per patient and none over all. A search without the tenant would miss most of the right
# answers, so the tenant is part of the only filter that passages are searched with.
PASSAGE_GRAPH: Final = models.HnswConfigDiff(m=0, payload_m=16)


class LeanClient(QdrantClient):
    """The ordinary client without its inference step, which looks through every vector for texts to embed."""

    def upsert_lean(self, collection: str, points: Sequence[dict[str, Any]]) -> None:
        """Upsert points given as JSON values (PointStruct's fields); returns when they are on disk."""
        self.http.client.request(
            type_=models.InlineResponse2008,
            method="PUT",
            url="/collections/{collection_name}/points",
            path_params={"collection_name": collection},
            params={"wait": "true"},
            headers={"Content-Type": "application/json"},
            content=msgspec.json.encode({"points": points}),
        )

    def query_batch_points(
        self,
        collection_name: str,
        requests: Sequence[models.QueryRequest],
        consistency: models.ReadConsistency | None = None,
        timeout: int | None = None,
        **kwargs: Any,
    ) -> list[models.QueryResponse]:
        """Send several queries in one request; vectors only."""
        reply = self.http.search_api.query_batch_points(
            collection_name=collection_name,
            consistency=consistency,  # type: ignore[arg-type] # the generated signature leaves None out
            timeout=timeout,  # type: ignore[arg-type] # as above
            query_request_batch=models.QueryRequestBatch(searches=[*requests]),
        )
        return reply.result or []


def connect(url: str, api_key: str, timeout_s: float) -> LeanClient:
    """Return a client for an on-site vector service or Qdrant server; connects at the first call.

    Args:
        url: `http://...` or `unix:PATH`.
        api_key: sent as the `api-key` header.
        timeout_s: seconds for one request, rounded up to whole ones.
    """
    options: dict[str, Any] = {"trust_env": False}  # no proxies from the environment
    if url.startswith("unix:"):
        options["transport"] = httpx.HTTPTransport(uds=url.removeprefix("unix:").removeprefix("//"))
        url = "http://localhost"
    return LeanClient(
        url=url,
        headers={"api-key": api_key},
        timeout=timeout_s,  # type: ignore[arg-type] # the client rounds it up itself
        check_compatibility=False,  # would connect while constructing
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30),
        **options,
    )


def create(client: QdrantClient, name: str, *, dimension: int, tenant: str | None, embedder: str) -> None:
    """Create a collection with a dense and a BM25 vector; `tenant` is the field every read must fix."""
    client.create_collection(
        name,
        vectors_config={DENSE: models.VectorParams(size=dimension, distance=models.Distance.COSINE)},
        sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=PASSAGE_GRAPH if tenant else None,
        metadata={"tenant": tenant, "embedder": embedder} if tenant else {"embedder": embedder},
    )


def within_patient(patient: UUID, *, hidden_labels: Collection[str], resource_types: Collection[str]) -> models.Filter:
    """Return the filter of a patient search: this tenant only, nothing with a hidden label."""
    must: list[models.Condition] = [models.FieldCondition(key=TENANT, match=models.MatchValue(value=str(patient)))]
    if resource_types:
        wanted = models.MatchAny(any=sorted(resource_types))
        must.append(models.FieldCondition(key="resource_type", match=wanted))
    hidden: list[models.Condition] = []
    if hidden_labels:
        hidden.append(models.FieldCondition(key="labels", match=models.MatchAny(any=sorted(hidden_labels))))
    return models.Filter(must=must, must_not=hidden or None)


def as_number(day: date) -> int:
    """Return a date as yyyymmdd, which sorts as dates do."""
    return day.year * 10_000 + day.month * 100 + day.day


def valid_on(day: date) -> models.Filter:
    """Return the filter of a guideline search: editions whose last day is not before `day`."""
    return models.Filter(must=[models.FieldCondition(key="expires", range=models.Range(gte=as_number(day)))])


def _vectors(point: PassagePoint | GuidelinePoint) -> dict[str, Any]:
    vectors: dict[str, Any] = {
        SPARSE: {"indices": point.sparse_indices, "values": point.sparse_values},
    }
    if point.dense:
        vectors[DENSE] = point.dense
    return vectors


def passage_json(point: PassagePoint) -> dict[str, Any]:
    """Return a patient's point as PointStruct's JSON: identifiers and filter fields, no text."""
    payload = {
        TENANT: str(point.tenant),
        "resource_type": point.resource_type,
        "labels": [*point.labels],
    }
    return {"id": str(point.passage_id), "vector": _vectors(point), "payload": payload}


def guideline_json(point: GuidelinePoint) -> dict[str, Any]:
    """Return a guideline's point as PointStruct's JSON."""
    payload = {
        "edition": point.edition,
        "jurisdiction": point.jurisdiction,
        "approver": point.approver,
        "expires": as_number(point.expires),
    }
    return {"id": str(point.passage_id), "vector": _vectors(point), "payload": payload}
