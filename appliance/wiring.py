"""The composition root: configuration in, backends out, once per process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.backends.embedder import OnnxEmbedder
from appliance.backends.master_key import ConfiguredMasterKey
from appliance.backends.qdrant import QdrantBackend
from appliance.backends.raw_store import FileOriginalStore
from appliance.backends.vllm import VllmChatModel
from appliance.backends.wake import CeleryWake
from appliance.config import config
from appliance.model_server.manifest import ModelFolderError, recorded_digest
from clinical.ports import Backends

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config import Config


def clinical_backends() -> Backends:
    """Return the real backends of this process; nothing is opened or loaded before first use."""
    return build(config())


def build(settings: Config) -> Backends:
    """Return the backends a configuration asks for."""
    embedder = OnnxEmbedder(settings.embedder_path)
    qdrant = QdrantBackend(settings.vector_url, settings.secret("vector_api_key"), embedder)
    return Backends(
        embedder=embedder,
        retriever=qdrant,
        index=qdrant,
        chat=VllmChatModel(
            url=settings.vllm_url,
            model=settings.vllm_model,
            api_key=settings.secret("vllm_api_key"),
            timeout_s=settings.vllm_timeout_s,
            digest=_model_digest(settings.model_path),
        ),
        originals=FileOriginalStore(settings.var / "originals"),
        master_key=ConfiguredMasterKey(settings.secret("master_key")),
        wake=CeleryWake(),
    )


def _model_digest(folder: Path) -> str:
    """Return the digest recorded with the weights; empty where they were not prepared on this machine."""
    try:
        return recorded_digest(folder)
    except ModelFolderError:
        return ""
