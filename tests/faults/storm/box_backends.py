"""The real backends, but for the embedder: words hashed into dimensions cost no time and need no download."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.backends.qdrant import QdrantBackend
from appliance.config import config
from appliance.wiring import build
from tests.fakes import HashEmbedder

if TYPE_CHECKING:
    from clinical.ports import Backends


def box() -> Backends:
    """Return them."""
    embedder, settings = HashEmbedder(), config()
    qdrant = QdrantBackend(settings.vector_url, settings.secret("vector_api_key"), embedder)
    return replace(build(settings), embedder=embedder, retriever=qdrant, index=qdrant)
