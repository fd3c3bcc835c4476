"""Indexing the same texts into the same durable service: our index path and LlamaIndex's pipeline as it comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import numpy as np
import qdrant_edge as edge
from llama_index.core import Document
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.vector_stores.qdrant import QdrantVectorStore

from appliance.backends.qdrant import QdrantBackend
from appliance.bench.row import Row, print_rows
from appliance.bench.vector_process import KEY, StubEmbedder, vector_service
from clinical.domain.passages import PassagePoint
from clinical.ports import SparseVector

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENT = UUID(int=1)
WORDS = 90  # of one text: a passage of about 600 characters
VOCABULARY = 8000


class Bm25StubEmbedder(StubEmbedder):
    """Dense vectors cost nothing; sparse ones are really made, by the encoder that both sides use."""

    def __init__(self) -> None:
        super().__init__()
        self._bm25 = edge.Bm25()

    def sparse_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return BM25 weights."""
        made = [self._bm25.embed_document(text) for text in texts]
        return [SparseVector(tuple(one.indices), tuple(one.values)) for one in made]


class StubEmbedding(BaseEmbedding):  # type: ignore[misc] # llama_index is not followed by the type checker
    """The same drawn vectors through LlamaIndex's own interface."""

    _stub: Bm25StubEmbedder = PrivateAttr()

    def __init__(self, stub: Bm25StubEmbedder) -> None:
        super().__init__()
        self._stub = stub

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._stub.embed(texts).tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def generated_texts(count: int, seed: int) -> list[str]:
    """Return texts of invented words, frequent and rare as in language."""
    random = np.random.default_rng(seed)
    drawn = random.zipf(1.3, size=(count, WORDS)) % VOCABULARY
    return [
        ". ".join(" ".join(f"w{word:x}" for word in row[at : at + 15]) for at in range(0, WORDS, 15)) for row in drawn
    ]


def _ours(backend: QdrantBackend, embedder: Bm25StubEmbedder, texts: Sequence[str]) -> None:
    dense = embedder.embed(texts)
    sparse = embedder.sparse_documents(texts)
    backend.upsert_passages(
        [
            PassagePoint(
                passage_id=uuid5(PATIENT, text),
                tenant=PATIENT,
                resource_type="DocumentReference",
                labels=("N",),
                dense=tuple(vector.tolist()),
                sparse_indices=weights.indices,
                sparse_values=weights.values,
            )
            for text, vector, weights in zip(texts, dense, sparse, strict=True)
        ]
    )


def _pipeline(backend: QdrantBackend, embedder: Bm25StubEmbedder) -> IngestionPipeline:
    def sparse(texts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
        made = [embedder._bm25.embed_document(text) for text in texts]  # noqa: SLF001 - the very same encoder
        return [one.indices for one in made], [one.values for one in made]

    store = QdrantVectorStore(
        collection_name="as-it-comes",
        client=backend.client,
        enable_hybrid=True,
        sparse_doc_fn=sparse,
        sparse_query_fn=sparse,
    )
    return IngestionPipeline(transformations=[SentenceSplitter(), StubEmbedding(embedder)], vector_store=store)


def run(*, rounds: int = 6, texts_a_round: int = 1024) -> list[Row]:
    """Measure both, taking turns, and return passages a second; each write is flushed before it returns."""
    embedder = Bm25StubEmbedder()
    spent = {"ours": 0.0, "theirs": 0.0}
    with vector_service() as url:
        backend = QdrantBackend(url, KEY, embedder, timeout_s=60)
        backend.ensure_collections()
        pipeline = _pipeline(backend, embedder)
        for turn in range(rounds + 1):
            texts = generated_texts(texts_a_round, seed=turn)
            documents = [Document(text=text, metadata={"patient_id": str(PATIENT)}) for text in texts]
            started = time.perf_counter()
            _ours(backend, embedder, texts)
            between = time.perf_counter()
            pipeline.run(documents=documents)
            ended = time.perf_counter()
            if turn:  # the first warms both up
                spent["ours"] += between - started
                spent["theirs"] += ended - between
        held = [backend.client.count(name, exact=True).count for name in ("as-it-comes",)]
    total = rounds * texts_a_round
    if held != [total + texts_a_round]:
        raise RuntimeError("the pipeline did not write one passage a text: the comparison is not of the same work")
    ours, theirs = total / spent["ours"], total / spent["theirs"]
    note = f"{total} texts of {WORDS} words, embedding stubbed, BM25 and flush on both sides"
    name = "index ingest against LlamaIndex's IngestionPipeline"
    return [Row(name, round(ours), "passages/s", round(theirs), round(ours / theirs, 2), ">= 3", note)]


if __name__ == "__main__":
    print_rows(run())
