"""LlamaIndex's Qdrant store, made lean: nodes carry identifiers and filter fields, never text.

Importing this module loads llama_index (some seconds), so it is imported at the first search only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import (
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.vector_stores.qdrant import QdrantVectorStore

from appliance.backends.qdrant_schema import DENSE, SPARSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient, models

    from clinical.ports import Embedder

# Cormack, Clarke and Buettcher (SIGIR 2009) use 60; from memory.
RANK_CONSTANT = 60


class LeanQdrantStore(QdrantVectorStore):  # type: ignore[misc] # llama_index is not followed by the type checker
    """The hybrid store without text: the base class would rebuild each node from JSON in its payload."""

    def parse_to_query_result(self, response: Sequence[models.ScoredPoint]) -> VectorStoreQueryResult:
        """Return the points as nodes with their identifier and payload."""
        return VectorStoreQueryResult(
            nodes=[TextNode(id_=str(point.id), metadata=point.payload or {}) for point in response],
            similarities=[point.score for point in response],
            ids=[str(point.id) for point in response],
        )


def fuse_by_rank(
    dense_result: VectorStoreQueryResult,
    sparse_result: VectorStoreQueryResult,
    *,
    top_k: int,
    **_: float,
) -> VectorStoreQueryResult:
    """Fuse two rankings by reciprocal rank: the sum of 1 / (60 + rank) over the lists a node is in."""
    scores: dict[str, float] = {}
    nodes: dict[str, TextNode] = {}
    for result in (dense_result, sparse_result):
        for rank, node in enumerate(result.nodes or (), start=1):
            scores[node.node_id] = scores.get(node.node_id, 0.0) + 1 / (RANK_CONSTANT + rank)
            nodes.setdefault(node.node_id, node)
    best = sorted(scores, key=lambda node_id: (-scores[node_id], node_id))[:top_k]
    return VectorStoreQueryResult(
        nodes=[nodes[node_id] for node_id in best],
        similarities=[scores[node_id] for node_id in best],
        ids=best,
    )


def open_store(client: QdrantClient, collection: str, embedder: Embedder) -> LeanQdrantStore:
    """Return the hybrid store over one collection, with our BM25 weights as its sparse functions."""

    def sparse_query(texts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
        vectors = [embedder.sparse_query(text) for text in texts]
        return [list(one.indices) for one in vectors], [list(one.values) for one in vectors]

    def sparse_documents(texts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
        vectors = embedder.sparse_documents(texts)
        return [list(one.indices) for one in vectors], [list(one.values) for one in vectors]

    return LeanQdrantStore(
        collection_name=collection,
        client=client,
        enable_hybrid=True,
        dense_vector_name=DENSE,
        sparse_vector_name=SPARSE,
        sparse_doc_fn=sparse_documents,
        sparse_query_fn=sparse_query,
        hybrid_fusion_fn=fuse_by_rank,
        index_doc_id=False,
    )


def search(
    store: LeanQdrantStore, text: str, vector: NDArray[np.float32], *, within: models.Filter, limit: int
) -> list[tuple[str, float, dict[str, Any]]]:
    """Return (identifier, score, payload) of the best points `within` the filter, in one round trip."""
    result = store.query(
        VectorStoreQuery(
            query_embedding=vector.tolist(),
            query_str=text,
            similarity_top_k=limit,
            sparse_top_k=limit,
            hybrid_top_k=limit,
            mode=VectorStoreQueryMode.HYBRID,
        ),
        qdrant_filters=within,
    )
    found = zip(result.nodes or (), result.similarities or (), strict=True)
    return [(node.node_id, score, node.metadata) for node, score in found]
