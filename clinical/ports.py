"""What the box provides to the clinical part. Implementations live in appliance/backends/."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date
    from typing import BinaryIO
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import (
        GuidelinePoint,
        PassageHit,
        PassagePoint,
        RetrievalQuery,
    )
    from clinical.domain.prompt import Prompt


class BackendUnavailableError(Exception):
    """An outside service did not answer, or answered with an error. `service` names it; no patient text."""

    def __init__(self, service: str, reason: str = "") -> None:
        super().__init__(f"{service}: {reason}" if reason else service)
        self.service = service
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SparseVector:
    """A sparse vector: parallel indices and weights."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class Embedder(Protocol):
    """Turns text into vectors, locally."""

    @property
    def digest(self) -> str:
        """Sha256 of the weights and tokenizer; stored with each vector."""

    @property
    def dimension(self) -> int:
        """Length of each dense vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length dense vectors, one row a text, shape (len(texts), dimension)."""

    def sparse_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return BM25 document weights, one a text."""

    def sparse_query(self, text: str) -> SparseVector:
        """Return BM25 query weights."""


class Retriever(Protocol):
    """Finds passages. The patient comes from the grant and from nowhere else."""

    def retrieve(self, query: RetrievalQuery, *, grant: AccessGrant) -> list[PassageHit]:
        """Return passages of the granted patient, best first, without hidden labels.

        Raises:
            BackendUnavailableError: the vector service did not answer.
        """

    def retrieve_guidelines(self, text: str, *, today: date, limit: int) -> list[PassageHit]:
        """Return passages of guideline editions that have not expired on `today`, best first."""


class PassageIndex(Protocol):
    """The derived index. SQL is the truth; writing twice or deleting twice is harmless."""

    def ensure_collections(self) -> None:
        """Create both collections and their payload indexes where missing."""

    def upsert_passages(self, points: Sequence[PassagePoint]) -> None:
        """Write patient passages; returns when the engine has flushed them to disk."""

    def upsert_guidelines(self, points: Sequence[GuidelinePoint]) -> None:
        """Write guideline passages; returns when the engine has flushed them to disk."""

    def delete_passages(self, passage_ids: Sequence[UUID]) -> None:
        """Remove patient passages; returns when flushed. Unknown ids are ignored."""

    def delete_guidelines(self, passage_ids: Sequence[UUID]) -> None:
        """Remove guideline passages; returns when flushed. Unknown ids are ignored."""

    def held(self) -> tuple[int, int]:
        """Return how many patient and guideline passages are held; cheap enough to ask often."""

    def passage_ids(self) -> Iterator[tuple[UUID, UUID]]:
        """Yield (passage id, tenant) of everything held; for verify_index only."""

    def guideline_ids(self) -> Iterator[UUID]:
        """Yield the id of every guideline passage held; for verify_index only."""


class ChatStream(Protocol):
    """A running completion: iterate for text pieces; close() frees the model's slot."""

    def __iter__(self) -> Iterator[str]:
        """Yield text pieces as they are generated."""

    def close(self) -> None:
        """Stop the generation; harmless when it has ended."""


class ChatModel(Protocol):
    """The language model behind its server."""

    @property
    def name(self) -> str:
        """The served model's name."""

    @property
    def digest(self) -> str:
        """Sha256 over the served weights, as recorded when they were prepared."""

    def ready(self) -> bool:
        """Return whether the server answers, within about half a second."""

    def stream(self, prompt: Prompt, *, max_tokens: int, seed: int) -> ChatStream:
        """Start a completion at temperature 0.

        Raises:
            BackendUnavailableError: the server did not answer; also raised while iterating.
        """

    def choose(self, prompt: Prompt, options: Sequence[str], *, seed: int) -> str:
        """Return one of the options, word for word, by guided decoding; nothing else can be written.

        Raises:
            BackendUnavailableError: the server did not answer, or not with an option.
        """


class OriginalStore(Protocol):
    """Content-addressed store of encrypted original bytes."""

    def put(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Store durably (file and folder flushed) before returning; the same digest twice is harmless."""

    def open(self, sha256: str) -> BinaryIO:
        """Return the ciphertext as a readable file.

        Raises:
            KeyError: nothing is held under this digest.
        """

    def delete(self, sha256: str) -> None:
        """Remove the object; harmless when absent."""


class MasterKey(Protocol):
    """The site's master key: wraps data keys and makes the keyed digests of search terms."""

    def wrap(self, key: bytes, *, binding: str) -> bytes:
        """Return the key encrypted and bound to `binding`."""

    def unwrap(self, wrapped: bytes, *, binding: str) -> bytes:
        """Return the key.

        Raises:
            cryptography.exceptions.InvalidTag: another master key, another binding, or altered bytes.
        """

    def digest(self, text: str, *, purpose: str) -> str:
        """Return a keyed digest (64 hex digits) by which equal texts can be found again."""


class WakeWorkers(Protocol):
    """Tells the workers that the ledger has work. Losing a call loses nothing: the sweeper looks too."""

    def __call__(self, task: str, row_id: int) -> None:
        """Send one message that carries an id only; never raises when the queue is down."""


@dataclass(frozen=True, slots=True)
class Backends:
    """Everything the box provides, built once per process by the composition root."""

    embedder: Embedder
    retriever: Retriever
    index: PassageIndex
    chat: ChatModel
    originals: OriginalStore
    master_key: MasterKey
    wake: WakeWorkers


@cache
def backends() -> Backends:
    """Return the backends that settings.CLINICAL_BACKENDS names; a test sets its own factory."""
    factory: Callable[[], Backends] = import_string(settings.CLINICAL_BACKENDS)
    return factory()
