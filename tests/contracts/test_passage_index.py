"""The in-memory index of the tests keeps the same promises as the real one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

import pytest

from appliance.backends.qdrant import QdrantBackend
from clinical.domain.access import AccessRequest, Purpose, Role, authorise
from clinical.domain.passages import GuidelinePoint, PassagePoint, RetrievalQuery
from tests.contracts.vector_engines import KEY, Service
from tests.fake_index import MemoryIndex
from tests.fakes import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinical.domain.access import AccessGrant

Index = MemoryIndex | QdrantBackend
EMBEDDER = HashEmbedder()
AMINA, BRUNO = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("index") / "data")
    yield running
    running.close()


@pytest.fixture(params=["fake", "real"])
def index(request: pytest.FixtureRequest) -> Index:
    embedder = HashEmbedder(digest=uuid4().hex)
    if request.param == "fake":
        return MemoryIndex(embedder)
    made = QdrantBackend(request.getfixturevalue("service").url, KEY, embedder)
    made.ensure_collections()
    return made


def grant(patient: UUID) -> AccessGrant:
    request = AccessRequest("dr-chen", frozenset({Role.CLINICIAN}), patient, Purpose.TREATMENT, {"dr-chen"})
    return authorise(request, now=datetime(2026, 5, 4, 12, tzinfo=UTC))


def point(text: str, tenant: UUID, *labels: str, kind: str = "DocumentReference") -> PassagePoint:
    sparse = EMBEDDER.sparse_documents([text])[0]
    dense = tuple(EMBEDDER.embed([text])[0].tolist())
    return PassagePoint(uuid5(tenant, text), tenant, kind, labels, dense, sparse.indices, sparse.values)


def hits(index: Index, text: str, patient: UUID, kinds: frozenset[str] = frozenset()) -> list[UUID]:
    query = RetrievalQuery(text, resource_types=kinds, limit=50)
    return [hit.passage_id for hit in index.retrieve(query, grant=grant(patient))]


def test_only_the_granted_patients_passages_are_found(index: Index) -> None:
    index.upsert_passages([point("apixaban stopped", AMINA), point("apixaban started", BRUNO)])

    assert hits(index, "apixaban", AMINA) == [uuid5(AMINA, "apixaban stopped")]


def test_a_hidden_label_is_not_found(index: Index) -> None:
    index.upsert_passages([point("apixaban stopped", AMINA, "R"), point("apixaban started", AMINA, "N")])

    assert hits(index, "apixaban", AMINA) == [uuid5(AMINA, "apixaban started")]


def test_the_type_narrows_the_search(index: Index) -> None:
    index.upsert_passages([point("apixaban", AMINA), point("apixaban", BRUNO, kind="Condition")])

    assert hits(index, "apixaban", AMINA, frozenset({"Condition"})) == []


def test_writing_and_deleting_twice_is_harmless(index: Index) -> None:
    one = point("apixaban stopped", AMINA)
    index.upsert_passages([one])
    index.upsert_passages([one])
    assert list(index.passage_ids()) == [(one.passage_id, AMINA)]

    index.delete_passages([one.passage_id, uuid4()])
    index.delete_passages([one.passage_id])
    assert list(index.passage_ids()) == []


def test_a_guideline_is_found_until_its_last_day(index: Index) -> None:
    like = point("treat pain first", AMINA)
    expires = date(2026, 6, 30)
    index.upsert_guidelines(
        [
            GuidelinePoint(
                like.passage_id, "1", "XX", "Dr Lund", expires, like.dense, like.sparse_indices, like.sparse_values
            )
        ]
    )

    assert len(index.retrieve_guidelines("pain", today=expires, limit=5)) == 1
    assert index.retrieve_guidelines("pain", today=date(2026, 7, 1), limit=5) == []
    assert list(index.guideline_ids()) == [like.passage_id]
