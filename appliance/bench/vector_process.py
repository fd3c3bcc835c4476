"""The embedded vector service as a throw-away process for measurements, and generated passages."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import numpy as np

from appliance.config import ROOT, environment
from clinical.domain.passages import PassagePoint
from clinical.ports import SparseVector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

KEY = "bench"
DIMENSION = 384
VOCABULARY = 20_000
TERMS = 25  # distinct words a passage


@contextmanager
def vector_service() -> Iterator[str]:
    """Start the service on a free port with an empty folder; yield its URL; stop it and remove the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="bench-vectors-") as folder:
        command = [sys.executable, "-m", "appliance.vector_service", "--data", folder, "--listen", listen]
        given = {"APPLIANCE_VECTOR_API_KEY": KEY}
        process = subprocess.Popen(command, env={**environment(), **given}, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            _wait_until_ready(f"http://{listen}")
            yield f"http://{listen}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_ready(url: str) -> None:
    for _ in range(400):
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("the vector service did not start")


class StubEmbedder:
    """Stands in for the model so that it costs nothing: vectors drawn beforehand, handed out in turn."""

    digest = "b" * 64
    dimension = DIMENSION

    def __init__(self, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        self._dense = unit_vectors(self._random, 512)
        self._sparse = [draw_sparse(self._random) for _ in range(512)]
        self._turn = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the next vectors."""
        self._turn += len(texts)
        return self._dense[(np.arange(len(texts)) + self._turn) % len(self._dense)]

    def sparse_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the next sparse vectors."""
        return [self.sparse_query(text) for text in texts]

    def sparse_query(self, text: str) -> SparseVector:
        """Return the next sparse vector."""
        self._turn += 1
        return self._sparse[self._turn % len(self._sparse)]


def unit_vectors(random: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Return random unit vectors."""
    rows = random.standard_normal((count, DIMENSION), dtype=np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def draw_sparse(random: np.random.Generator) -> SparseVector:
    """Return a sparse vector whose words are frequent or rare as in language (Zipf)."""
    indices = np.unique(random.zipf(1.3, size=4 * TERMS) % VOCABULARY)[:TERMS]
    values = random.uniform(0.5, 2.0, size=len(indices))
    return SparseVector(tuple(map(int, indices)), tuple(map(float, values)))


def passages(count: int, tenants: int, seed: int = 11) -> Iterator[list[PassagePoint]]:
    """Yield `count` generated passages spread evenly over `tenants` patients, 2,048 at a time."""
    random = np.random.default_rng(seed)
    for start in range(0, count, 2048):
        numbers = range(start, min(start + 2048, count))
        dense = unit_vectors(random, len(numbers))
        sparse = [draw_sparse(random) for _ in numbers]
        yield [
            PassagePoint(
                passage_id=UUID(int=number + 1),
                tenant=UUID(int=number % tenants + 1),
                resource_type="DocumentReference",
                labels=("N",),
                dense=tuple(vector.tolist()),
                sparse_indices=weights.indices,
                sparse_values=weights.values,
            )
            for number, vector, weights in zip(numbers, dense, sparse, strict=True)
        ]
