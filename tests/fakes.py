"""Fakes that stand behind ports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from clinical.ports import SparseVector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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
