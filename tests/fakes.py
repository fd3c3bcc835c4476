"""Fakes that stand behind ports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from clinical.ports import BackendUnavailableError, SparseVector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from clinical.domain.prompt import Prompt


class HashEmbedder:
    """A deterministic embedder without a model: words hashed into dimensions and sparse indices."""

    def __init__(self, *, digest: str = "f" * 64, dimension: int = 32) -> None:
        self.digest = digest
        self.dimension = dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 1e-3  # a text without words still has a direction
            for word in re.findall(r"\w+", text.lower()):
                row[crc32(word.encode()) % self.dimension] += 1
            row /= np.linalg.norm(row)
        return rows

    def sparse_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        return [self.sparse_query(text) for text in texts]

    def sparse_query(self, text: str) -> SparseVector:
        indices = sorted({crc32(word.encode()) for word in re.findall(r"\w+", text.lower())})
        return SparseVector(indices=tuple(indices), values=(1.0,) * len(indices))


class ScriptedStream:
    """A stream of given pieces; `closed` tells whether the reader let go."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            if self.closed:
                return
            yield piece

    def close(self) -> None:
        self.closed = True


class ScriptedChatModel:
    """Implements ChatModel by saying what it is told to say; with `down` set it is unavailable."""

    def __init__(self, says: str = "", *, down: bool = False) -> None:
        self.says = says
        self.down = down
        self.name = "scripted"
        self.digest = "5" * 64
        self.prompts: list[Prompt] = []
        self.streams: list[ScriptedStream] = []

    def ready(self) -> bool:
        return not self.down

    def choose(self, prompt: Prompt, options: Sequence[str], *, seed: int) -> str:
        del seed
        if self.down:
            raise BackendUnavailableError("vllm", "unreachable")
        self.prompts.append(prompt)
        return self.says if self.says in options else options[-1]

    def stream(self, prompt: Prompt, *, max_tokens: int, seed: int) -> ScriptedStream:
        del seed
        if self.down:
            raise BackendUnavailableError("vllm", "unreachable")
        self.prompts.append(prompt)
        pieces = re.findall(r"\s*\S{1,4}", self.says)[:max_tokens]
        self.streams.append(ScriptedStream(pieces))
        return self.streams[-1]
