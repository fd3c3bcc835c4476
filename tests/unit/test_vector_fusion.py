"""Reciprocal rank fusion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQueryResult

from appliance.backends.qdrant_store import RANK_CONSTANT, fuse_by_rank

rankings = st.lists(st.sampled_from("abcdefgh"), unique=True)


def ranked(names: list[str]) -> VectorStoreQueryResult:
    nodes = [TextNode(id_=name) for name in names]
    return VectorStoreQueryResult(nodes=nodes, similarities=[1.0] * len(nodes), ids=names)


@given(rankings, rankings, st.integers(1, 10))
def test_the_fused_order_is_that_of_the_summed_reciprocal_ranks(dense: list[str], sparse: list[str], top: int) -> None:
    fused = fuse_by_rank(ranked(dense), ranked(sparse), top_k=top)

    def score(name: str) -> float:
        places = [ranking.index(name) + 1 for ranking in (dense, sparse) if name in ranking]
        return sum(1 / (RANK_CONSTANT + place) for place in places)

    expected = sorted({*dense, *sparse}, key=lambda name: (-score(name), name))[:top]
    assert fused.ids == expected
    assert fused.similarities == [score(name) for name in expected]
    assert [node.node_id for node in fused.nodes or ()] == expected
