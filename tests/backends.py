"""The fake box: every port by its fake."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from appliance.backends.master_key import ConfiguredMasterKey
from clinical.ports import Backends
from tests.fake_index import MemoryIndex
from tests.fakes import HashEmbedder, ScriptedChatModel

if TYPE_CHECKING:
    from collections.abc import Iterable


class MemoryOriginalStore:
    """Implements OriginalStore in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, sha256: str, chunks: Iterable[bytes]) -> None:
        self.held[sha256] = b"".join(chunks)

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self.held[sha256])

    def delete(self, sha256: str) -> None:
        self.held.pop(sha256, None)


class RecordingWake:
    """Implements WakeWorkers; remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def __call__(self, task: str, row_id: int) -> None:
        self.sent.append((task, row_id))


def fake_backends() -> Backends:
    """Return a box of fakes; nothing of it outlives the test."""
    embedder = HashEmbedder()
    index = MemoryIndex(embedder)
    return Backends(
        embedder=embedder,
        retriever=index,
        index=index,
        chat=ScriptedChatModel(),
        originals=MemoryOriginalStore(),
        master_key=ConfiguredMasterKey("ab" * 32),
        wake=RecordingWake(),
    )
