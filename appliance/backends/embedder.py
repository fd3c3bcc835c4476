"""The sentence embedder: a local ONNX model on CPU for dense vectors, BM25 for sparse ones."""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.model_server.manifest import EMBEDDER_FILES, ModelFolderError, recorded_digest, verify
from clinical.ports import BackendUnavailableError, SparseVector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from qdrant_edge import Bm25
    from qdrant_edge import SparseVector as EdgeSparseVector
    from tokenizers import Encoding, Tokenizer

_MOST_TOKENS: Final = 256  # what the model was trained on; longer text is cut
_BATCH: Final = 16
_SMALL_CALL = 8  # texts; what a larger call leaves behind is worth the millisecond of giving it back
_SMALLEST: Final = 1e-12


class OnnxEmbedder:
    """Mean-pooled, unit-length sentence vectors from a folder with `model.onnx` and `tokenizer.json`.

    The weights are checked against their manifest and loaded at the first text, not at start-up.
    Safe to share between threads.
    """

    def __init__(self, folder: Path, *, dimension: int = 384, threads: int = 1) -> None:
        """Remember where the model lies; nothing is read yet.

        Args:
            folder: the model folder.
            dimension: length of each vector; the model is refused if it gives another.
            threads: processor threads of one embedding run.
        """
        self._folder = folder
        self._dimension = dimension
        self._threads = threads
        self._loading = threading.Lock()
        self._loaded: tuple[InferenceSession, Tokenizer] | None = None
        self._bm25: Bm25 | None = None

    @property
    def digest(self) -> str:
        """Sha256 over weights and tokenizer, as recorded when they were prepared.

        Raises:
            BackendUnavailableError: the folder has no readable manifest.
        """
        try:
            return recorded_digest(self._folder)
        except ModelFolderError as error:
            raise BackendUnavailableError("embedder", error.code) from error

    @property
    def dimension(self) -> int:
        """Length of each dense vector."""
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, one row a text, in the order given.

        Texts of like length share a batch, so that little is spent on padding. A text's vector
        differs by rounding only (cosine above 0.999) with what shares its batch.

        Raises:
            BackendUnavailableError: the model folder is missing or is not what was recorded.
        """
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        if not texts:
            return vectors
        session, tokenizer = self._load()
        encoded = tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda number: len(encoded[number].ids))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            vectors[rows] = self._run(session, [encoded[row] for row in rows])
        if len(texts) > _SMALL_CALL:
            _give_back_memory()
        return vectors

    def sparse_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return BM25 document weights (k 1.2, b 0.75, English stems), one a text."""
        bm25 = self._sparse_model()
        return [_sparse(bm25.embed_document(text)) for text in texts]

    def sparse_query(self, text: str) -> SparseVector:
        """Return BM25 query weights: one for each different word."""
        return _sparse(self._sparse_model().embed_query(text))

    def _run(self, session: InferenceSession, batch: Sequence[Encoding]) -> NDArray[np.float32]:
        longest = max(len(item.ids) for item in batch)
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, item in enumerate(batch):
            ids[row, : len(item.ids)] = item.ids
            mask[row, : len(item.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {each.name for each in session.get_inputs()}
        hidden = session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled: NDArray[np.float32] = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), _SMALLEST)
        return pooled

    def _load(self) -> tuple[InferenceSession, Tokenizer]:
        with self._loading:
            if self._loaded is None:
                try:
                    verify(self._folder, allowed=EMBEDDER_FILES)
                except ModelFolderError as error:
                    raise BackendUnavailableError("embedder", error.code) from error
                import onnxruntime  # heavy; at first use only
                from tokenizers import Tokenizer

                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = self._threads
                options.inter_op_num_threads = 1
                # The arena never gives memory back: one large batch would keep 350 MB for good.
                options.enable_cpu_mem_arena = False
                session = onnxruntime.InferenceSession(
                    str(self._folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
                )
                if session.get_outputs()[0].shape[-1] != self._dimension:
                    raise BackendUnavailableError("embedder", "other_dimension")
                tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
                tokenizer.enable_truncation(_MOST_TOKENS)
                tokenizer.no_padding()
                _give_back_memory()
                self._loaded = (session, tokenizer)
            return self._loaded

    def _sparse_model(self) -> Bm25:
        with self._loading:
            if self._bm25 is None:
                from qdrant_edge import Bm25

                self._bm25 = Bm25()
            return self._bm25


def _give_back_memory() -> None:
    """Return what loading or a large call left over to the system: up to 60 MB, with the GNU C library."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _sparse(vector: EdgeSparseVector) -> SparseVector:
    return SparseVector(tuple(vector.indices), tuple(vector.values))
