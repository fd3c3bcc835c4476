"""The embedded service refuses what it does not know, and a patient collection without its tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter
from qdrant_client.http import models

from clinical.ports import BackendUnavailableError
from tests.contracts.vector_engines import KEY, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

OWN = {"key": "patient_id", "match": {"value": "amina"}}
OTHER = {"key": "patient_id", "match": {"value": "bruno"}}
VECTOR = [0.5, 0.5, 0.5, 0.5]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("strict") / "data")
    dense = {"dense": {"size": 4, "distance": "Cosine"}}
    shape = {"vectors": dense, "sparse_vectors": {"sparse": {"modifier": "idf"}}}
    assert running.send("PUT", "/collections/open", shape).status_code == 200
    tenant = {**shape, "metadata": {"tenant": "patient_id"}}
    assert running.send("PUT", "/collections/passages-1", tenant).status_code == 200
    points = [
        {"id": n, "vector": {"dense": VECTOR}, "payload": {"patient_id": who, "labels": ["N"], "number": n}}
        for n, who in enumerate(["amina", "bruno"])
    ]
    for name in ("open", "passages-1"):
        assert running.send("PUT", f"/collections/{name}/points?wait=true", {"points": points}).status_code == 200
    yield running
    running.close()


def search(**more: object) -> dict[str, object]:
    return {"query": VECTOR, "using": "dense", "filter": {"must": [OWN]}, **more}


def refused(response: httpx.Response) -> str:
    """The reason of a 400 in the shape of Qdrant's errors."""
    assert response.status_code == 400, response.text
    error = TypeAdapter(models.ErrorResponse).validate_json(response.content)
    assert error.status is not None
    return error.status.error or ""


UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    ("points/query", search(lookup_from={"collection": "x"})),
    ("points/query", search(prefetch=[])),
    ("points/query", search(query={"fusion": "rrf"})),
    ("points/query", search(query={"nearest": 1})),
    ("points/query", search(params={"quantization": {}})),
    ("points/query", search(filter={"must": [OWN], "min_should": {}})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "match": {"text": "x"}}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "geo_radius": {}}]})),
    ("points/query", search(filter={"must": [OWN], "must_not": [{"is_null": {"key": "a"}}]})),
    ("points/query", search(filter={"must": [OWN], "must_not": [{}]})),
    ("points/query", search(filter={"must": [OWN], "must_not": [{"key": "labels"}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "range": {"gte": "2026-01-01"}}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "range": {}}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "match": {"any": []}}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a", "match": {"any": ["x"], "value": "x"}}]})),
    ("points/query", search(filter={"must": [OWN, {"has_id": [1], "match": {"value": 1}}]})),
    ("points/query", search(filter={"must": [OWN, {"key": "a[", "match": {"value": "x"}}]})),
    ("points/query", search(limit=0)),
    ("points/query", search(limit=10**6)),
    ("points/query", search(using="other")),
    ("points/query", search(query=[0.5])),
    ("points/query", search(with_payload={"include": ["a"]})),
    ("points/query/batch", {"searches": []}),
    ("points/scroll", {"filter": {"must": [OWN]}, "order_by": "x"}),
    ("points/count", {"filter": {"must": [OWN]}, "shard_key": "x"}),
    ("points/delete", {"points": [1], "filter": {"must": [OWN]}}),
    ("points/delete", {"filter": {"must": []}}),
    ("points/delete", {"points": ["not-a-uuid"]}),
]


@pytest.mark.parametrize(("route", "body"), UNKNOWN)
@pytest.mark.parametrize("collection", ["open", "passages-1"])
def test_what_is_not_known_is_refused(service: Service, collection: str, route: str, body: dict[str, Any]) -> None:
    refused(service.post(f"/collections/{collection}/{route}", body))


WITHOUT_TENANT: list[dict[str, Any] | None] = [
    None,
    {},
    {"should": [OWN]},
    {"must_not": [OTHER]},
    {"must": [{"key": "patient_id", "match": {"any": ["amina"]}}]},
    {"must": [{"key": "patient_id", "match": {"except": ["bruno"]}}]},
    {"must": [{"should": [OWN]}]},
    {"must": [OWN, OTHER]},
    {"must": [{"key": "labels", "match": {"value": "N"}}]},
]


@pytest.mark.parametrize("condition", WITHOUT_TENANT)
@pytest.mark.parametrize(
    "route", ["points/query", "points/query/batch", "points/scroll", "points/count", "points/delete"]
)
def test_a_patient_collection_is_closed_without_one_tenant(
    service: Service, route: str, condition: dict[str, Any] | None
) -> None:
    body: dict[str, Any] = {"filter": condition} if condition is not None else {}
    if route == "points/query":
        body = {**search(), "filter": condition}
    if route == "points/query/batch":
        body = {"searches": [search(), {**search(), "filter": condition}]}
    refused(service.post(f"/collections/passages-1/{route}", body))
    assert service.post("/collections/passages-1/points/count", {}, headers={"x-scope": "verify"}).json()["result"] == {
        "count": 2
    }


def test_a_nested_conjunction_names_the_tenant_too(service: Service) -> None:
    reply = service.post("/collections/passages-1/points/query", search(filter={"must": [{"must": [OWN]}]}))

    assert [hit["id"] for hit in reply.json()["result"]["points"]] == [0]


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ({"must": {"key": "patient_id", "match": {"any": ["amina", "x"]}}}, [0]),
        ({"must": [{"key": "patient_id", "match": {"except": ["amina"]}}]}, [1]),
        ({"must_not": [{"key": "patient_id", "match": {"except": ["amina"]}}]}, [0]),
        ({"should": [OWN, OTHER]}, [0, 1]),
        ({"must": [{"has_id": [1]}]}, [1]),
        ({"must": [{"is_empty": {"key": "edition"}}], "must_not": [OWN]}, [1]),
        ({"must": [{"key": "number", "range": {"gte": 1, "lt": 2}}]}, [1]),
        ({"must_not": [{"should": [OWN, {"has_id": [1]}]}]}, []),
    ],
)
def test_each_known_condition_means_what_it_says(service: Service, condition: dict[str, Any], ids: list[int]) -> None:
    reply = service.post("/collections/open/points/scroll", {"filter": condition, "with_payload": False})

    assert [one["id"] for one in reply.json()["result"]["points"]] == ids


def test_verification_sees_the_tenant_field_and_nothing_more(service: Service) -> None:
    path, scope = "/collections/passages-1/points/scroll", {"x-scope": "verify"}
    reply = service.post(path, {"with_payload": ["patient_id"]}, headers=scope)

    assert [one["payload"] for one in reply.json()["result"]["points"]] == [
        {"patient_id": "amina"},
        {"patient_id": "bruno"},
    ]
    refused(service.post(path, {"with_payload": True}, headers=scope))
    refused(service.post(path, {"with_payload": ["patient_id"], "with_vector": True}, headers=scope))
    refused(service.post(path, {"with_payload": ["patient_id", "labels"]}, headers=scope))
    refused(service.post(path, {"with_payload": ["patient_id"]}, headers={"x-scope": "all"}))
    refused(service.post("/collections/passages-1/points/query", search(filter=None), headers=scope))
    refused(service.post("/collections/passages-1/points", {"ids": [0]}))


@pytest.mark.parametrize(
    "bad",
    [
        {"id": 9, "vector": {"dense": VECTOR}, "payload": {}},
        {"id": 9, "vector": {"dense": VECTOR}, "payload": {"patient_id": ["amina", "bruno"]}},
        {"id": 9, "vector": {"dense": [1.0]}, "payload": {"patient_id": "amina"}},
        {"id": 9, "vector": {"other": VECTOR}, "payload": {"patient_id": "amina"}},
        {"id": 9, "vector": VECTOR, "payload": {"patient_id": "amina"}},
        {"id": 9, "vector": {"dense": [1e39] * 4}, "payload": {"patient_id": "amina"}},
        {"id": 2**64, "vector": {"dense": VECTOR}, "payload": {"patient_id": "amina"}},
        {"id": -1, "vector": {"dense": VECTOR}, "payload": {"patient_id": "amina"}},
        {
            "id": 9,
            "vector": {"sparse": {"indices": [1, 1], "values": [1.0, 1.0]}},
            "payload": {"patient_id": "a"},
        },
        {"id": 9, "vector": {"sparse": {"indices": [-1], "values": [1.0]}}, "payload": {"patient_id": "a"}},
    ],
)
def test_a_point_that_does_not_fit_is_refused_with_its_whole_batch(service: Service, bad: dict[str, Any]) -> None:
    good = {"id": 8, "vector": {"dense": VECTOR}, "payload": {"patient_id": "amina"}}
    path = "/collections/passages-1/points"
    refused(service.send("PUT", f"{path}?wait=true", {"points": [good, bad]}))

    reply = service.post(path, {"ids": [8, 9], "with_payload": False}, headers={"x-scope": "verify"})
    assert reply.json()["result"] == []


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], KEY + "x"])
def test_the_wrong_key_opens_nothing_but_health(service: Service, key: str) -> None:
    assert service.post("/collections/open/points/count", {}, key=key).status_code == 401
    assert service.send("GET", "/collections/open", None, key=key).status_code == 401
    assert service.send("GET", "/healthz", None, key=key).status_code == 200


def test_a_collection_of_passages_must_name_its_tenant_field(service: Service) -> None:
    shape = {"vectors": {"dense": {"size": 4, "distance": "Cosine"}}}

    assert "tenant" in refused(service.send("PUT", "/collections/passages-2", shape))
    refused(service.send("PUT", "/collections/open/index", {"field_name": "a[", "field_schema": "keyword"}))
    refused(service.send("PUT", "/collections/other", {**shape, "metadata": {"tennant": "patient_id"}}))
    refused(service.send("PUT", "/collections/other", {**shape, "quantization_config": {}}))
    assert service.send("PUT", "/collections/open", shape).status_code == 409


def test_routes_parameters_and_bodies_that_are_not_served_are_refused(service: Service) -> None:
    assert service.send("GET", "/collections/absent", None).status_code == 404
    assert service.post("/collections/open/points/recommend", {}).status_code == 404
    refused(service.post("/collections/open/points/count?consistency=all", {}))
    refused(service.post("/collections/open/points/count", None))


@pytest.mark.parametrize("levels", [17, 200, 900, 50_000])
def test_a_body_nested_deeply_does_not_bring_the_service_down(service: Service, levels: int) -> None:
    condition = '{"must":[' * levels + "]}" * levels
    payload = '{"a":' * levels + "1" + "}" * levels
    point = f'{{"points":[{{"id":7,"vector":{{}},"payload":{payload}}}]}}'
    with service.wire() as client:
        key = {"api-key": KEY}
        counted = client.post("/collections/open/points/count", content=f'{{"filter":{condition}}}', headers=key)
        written = client.put("/collections/open/points?wait=true", content=point, headers=key)

    refused(counted)
    refused(written)
    assert service.send("POST", "/collections/open/points/delete?wait=true", {"points": [7]}).status_code == 200


def test_an_error_is_told_with_a_code_and_without_the_request(service: Service) -> None:
    from appliance.backends.qdrant import QdrantBackend
    from tests.fakes import HashEmbedder

    with pytest.raises(BackendUnavailableError, match="qdrant: http-401"):
        QdrantBackend(service.url, "wrong", HashEmbedder()).ensure_collections()
    with pytest.raises(BackendUnavailableError, match="qdrant: unreachable"):
        QdrantBackend("http://127.0.0.1:1", KEY, HashEmbedder()).ensure_collections()
