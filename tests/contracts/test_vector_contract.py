"""One suite for every engine behind the Retriever and PassageIndex ports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client.context_headers import headers

from appliance.backends.qdrant import QdrantBackend
from appliance.backends.qdrant_schema import DENSE, TENANT, within_patient
from appliance.config import environment
from clinical.domain.access import AccessGrant, AccessRequest, Purpose, Role, authorise
from clinical.domain.passages import GuidelinePoint, PassagePoint, RetrievalQuery
from tests.contracts.vector_engines import KEY, LocalBackend, Service
from tests.fakes import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import models

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning")
EMBEDDER = HashEmbedder()
AMINA, BRUNO, CHIARA = (UUID(int=n) for n in (1, 2, 3))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def grant_for(patient: UUID) -> AccessGrant:
    request = AccessRequest("dr-chen", frozenset({Role.CLINICIAN}), patient, Purpose.TREATMENT, {"dr-chen"})
    return authorise(request, now=NOON)


def point(
    text: str,
    tenant: UUID,
    *,
    labels: tuple[str, ...] = ("N",),
    kind: str = "DocumentReference",
    number: int = 0,
) -> PassagePoint:
    sparse = EMBEDDER.sparse_documents([text])[0]
    return PassagePoint(
        passage_id=uuid5(tenant, f"{text}{number}"),
        tenant=tenant,
        resource_type=kind,
        labels=labels,
        dense=tuple(float(one) for one in EMBEDDER.embed([text])[0]),
        sparse_indices=sparse.indices,
        sparse_values=sparse.values,
    )


def guideline(text: str, expires: date) -> GuidelinePoint:
    like = point(text, AMINA)
    return GuidelinePoint(
        like.passage_id, "2025", "XX", "Dr Chen", expires, like.dense, like.sparse_indices, like.sparse_values
    )


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("vectors") / "data")
    yield running
    running.close()


@pytest.fixture(params=["local mode", "embedded service", "Qdrant server"])
def backend(request: pytest.FixtureRequest) -> Iterator[QdrantBackend]:
    embedder = HashEmbedder(digest=uuid4().hex)  # collections of its own
    if request.param == "local mode":
        made: QdrantBackend = LocalBackend(embedder)
    elif request.param == "embedded service":
        made = QdrantBackend(request.getfixturevalue("service").url, KEY, embedder)
    elif "QDRANT_URL" in environment():
        made = QdrantBackend(environment()["QDRANT_URL"], environment().get("QDRANT_API_KEY", ""), embedder)
    else:
        pytest.skip("untested: no Qdrant server (set QDRANT_URL)")
    made.ensure_collections()
    yield made
    made.client.delete_collection(made.passages)
    made.client.delete_collection(made.guidelines)
    made.client.close()


def found(backend: QdrantBackend, text: str, patient: UUID, **more: frozenset[str]) -> list[UUID]:
    hits = backend.retrieve(RetrievalQuery(text, limit=200, **more), grant=grant_for(patient))
    return [hit.passage_id for hit in hits]


def test_collections_are_made_once_and_carry_the_embedders_digest(backend: QdrantBackend) -> None:
    backend.ensure_collections()

    assert backend.passages.endswith(backend._embedder.digest[:8])
    assert backend.client.get_collection(backend.passages).points_count == 0


drawn_points = st.lists(
    st.builds(
        point,
        st.sampled_from(["potassium high", "apixaban stopped", "potassium normal", "no known allergy", ""]),
        st.sampled_from([AMINA, BRUNO, CHIARA]),
        labels=st.sampled_from([(), ("N",), ("R",), ("N", "V"), ("M", "N")]),
        kind=st.sampled_from(["DocumentReference", "Observation"]),
        number=st.integers(0, 5),
    ),
    max_size=25,
    unique_by=lambda one: one.passage_id,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=drawn_points, kinds=st.sampled_from([frozenset(), frozenset({"Observation"})]))
def test_a_search_finds_exactly_what_a_scan_of_the_patients_visible_points_finds(
    backend: QdrantBackend, points: list[PassagePoint], kinds: frozenset[str]
) -> None:
    backend.delete_passages([held for held, _ in backend.passage_ids()])
    backend.upsert_passages(points)
    question = "potassium"
    vector = EMBEDDER.embed([question])[0]
    for patient in (AMINA, BRUNO, CHIARA):
        visible = {
            one.passage_id: float(vector @ np.array(one.dense))
            for one in points
            if one.tenant == patient and not {"R", "V"} & {*one.labels} and (not kinds or one.resource_type in kinds)
        }
        assert set(found(backend, question, patient, resource_types=kinds)) == set(visible)

        within = within_patient(patient, hidden_labels={"R", "V"}, resource_types=kinds)
        reply = backend.client.query_points(
            backend.passages, query=vector.tolist(), using=DENSE, query_filter=within, limit=100
        )
        scores = [visible[UUID(str(hit.id))] for hit in reply.points]
        assert np.allclose([hit.score for hit in reply.points], scores, atol=1e-5)
        assert all(one >= other - 1e-5 for one, other in pairwise(scores))


def test_the_passage_that_shares_the_rare_word_comes_first(backend: QdrantBackend) -> None:
    notes = [point(f"routine visit number {n}", AMINA) for n in range(8)]
    rare = point("apixaban was stopped after a bleed", AMINA)
    backend.upsert_passages([*notes, rare])

    assert found(backend, "why was apixaban stopped", AMINA)[0] == rare.passage_id


def test_a_point_without_a_dense_vector_is_found_by_its_words(backend: QdrantBackend) -> None:
    lean = replace(point("potassium 5.9 mmol/L", AMINA), dense=())
    backend.upsert_passages([lean])

    assert found(backend, "potassium", AMINA) == [lean.passage_id]
    assert found(backend, "potassium", BRUNO) == []


def test_writing_twice_changes_nothing_and_writing_anew_replaces(backend: QdrantBackend) -> None:
    first = point("sodium", AMINA)
    backend.upsert_passages([first])
    backend.upsert_passages([first])
    backend.upsert_passages([replace(first, tenant=BRUNO)])

    assert list(backend.passage_ids()) == [(first.passage_id, BRUNO)]
    assert found(backend, "sodium", AMINA) == []


def test_deleted_passages_are_gone_and_unknown_ones_ignored(backend: QdrantBackend) -> None:
    kept, gone = point("sodium", AMINA), point("chloride", AMINA)
    backend.upsert_passages([kept, gone])
    backend.delete_passages([gone.passage_id, uuid4()])
    backend.delete_passages([gone.passage_id])

    assert found(backend, "chloride", AMINA) == [kept.passage_id]


def test_a_delete_by_filter_reaches_one_patient_only(backend: QdrantBackend) -> None:
    backend.upsert_passages([point("sodium", AMINA), point("sodium", BRUNO)])
    everything = within_patient(AMINA, hidden_labels=(), resource_types=())
    backend.client.delete(backend.passages, everything)

    assert [tenant for _, tenant in backend.passage_ids()] == [BRUNO]


def test_scrolling_in_pages_yields_every_point_once(backend: QdrantBackend) -> None:
    points = [point(f"note {n}", AMINA if n % 2 else BRUNO) for n in range(25)]
    backend.upsert_passages(points)
    seen: list[models.ExtendedPointId] = []
    following: models.ExtendedPointId | None = None
    own = within_patient(AMINA, hidden_labels=(), resource_types=())
    while True:
        page, following = backend.client.scroll(backend.passages, own, limit=5, offset=following)
        seen += [record.id for record in page]
        if following is None:
            break

    assert sorted(map(str, seen)) == sorted(str(one.passage_id) for one in points if one.tenant == AMINA)
    assert backend.client.count(backend.passages, own).count == 12
    assert sorted(backend.passage_ids()) == sorted((one.passage_id, one.tenant) for one in points)


def test_points_are_retrieved_by_identifier_with_their_payload(backend: QdrantBackend) -> None:
    held = point("sodium", AMINA)
    backend.upsert_passages([held])
    with headers({"x-scope": "verify"}):
        records = backend.client.retrieve(backend.passages, [str(held.passage_id), str(uuid4())], with_payload=[TENANT])

    assert [(str(one.id), one.payload) for one in records] == [(str(held.passage_id), {TENANT: str(AMINA)})]


def test_a_guideline_is_found_until_its_last_day(backend: QdrantBackend) -> None:
    old, current = guideline("sepsis bundle", date(2026, 5, 3)), guideline("sepsis care", date(2026, 5, 4))
    backend.upsert_guidelines([old, current])
    hits = backend.retrieve_guidelines("sepsis", today=NOON.date(), limit=5)

    assert [hit.passage_id for hit in hits] == [current.passage_id]
    assert set(backend.guideline_ids()) == {old.passage_id, current.passage_id}
    backend.delete_guidelines([old.passage_id])
    assert list(backend.guideline_ids()) == [current.passage_id]


def test_the_payload_of_a_patients_point_holds_no_text(backend: QdrantBackend) -> None:
    backend.upsert_passages([point("potassium 5.9", AMINA)])
    own = within_patient(AMINA, hidden_labels=(), resource_types=())
    records, _ = backend.client.scroll(backend.passages, own, with_payload=True)

    assert records[0].payload == {TENANT: str(AMINA), "resource_type": "DocumentReference", "labels": ["N"]}
