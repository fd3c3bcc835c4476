"""A vector service that accepts connections and says nothing: one question waits a second, the next none."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID

import pytest

from appliance.backends.qdrant import SEARCH_S, QdrantBackend
from clinical.domain.access import AccessRequest, Purpose, Role, authorise
from clinical.domain.passages import RetrievalQuery
from clinical.ports import BackendUnavailableError
from tests.fakes import HashEmbedder

AMINA = UUID(int=1)


def test_questions_do_not_wait_for_it() -> None:
    request = AccessRequest("dr-chen", frozenset({Role.CLINICIAN}), AMINA, Purpose.TREATMENT, {"dr-chen"})
    grant = authorise(request, now=datetime(2026, 5, 4, 12, tzinfo=UTC))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        backend = QdrantBackend(f"http://127.0.0.1:{silent.getsockname()[1]}", "key", HashEmbedder())
        backend.searcher  # noqa: B018 - loads the client, which takes longer than what is measured
        begun = perf_counter()
        with pytest.raises(BackendUnavailableError, match="unreachable"):
            backend.retrieve(RetrievalQuery("cough", limit=5), grant=grant)
        first = perf_counter() - begun
        begun = perf_counter()
        with pytest.raises(BackendUnavailableError, match="paused"):
            backend.retrieve(RetrievalQuery("cough", limit=5), grant=grant)
        second = perf_counter() - begun
        backend.searcher.close()

    assert first > SEARCH_S * 0.9
    assert second < 0.1
