"""What each served route does; routes.py finds the handler and turns the result into a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import qdrant_edge as edge

from appliance.vector_service import filters, points
from appliance.vector_service.spec import Create, CreateIndex
from appliance.vector_service.wire import (
    Count,
    Delete,
    Query,
    QueryBatch,
    QueryVector,
    RefusedError,
    Retrieve,
    Scroll,
    Sparse,
    Upsert,
    check_limit,
    decode,
    engine_values,
)

if TYPE_CHECKING:
    from appliance.vector_service.collection import Collection
    from appliance.vector_service.folder import Folder


class Call(msgspec.Struct, frozen=True):
    """One request: the folder, the collection's name, the body and what query string and headers say."""

    folder: Any  # Folder; msgspec resolves annotations at run time
    name: str
    body: bytes
    wait: bool
    verify: bool

    @property
    def collection(self) -> Collection:
        """The named collection, or a 404."""
        folder: Folder = self.folder
        return folder.get(self.name)


def exists(call: Call) -> object:
    """GET exists."""
    return {"exists": call.name in call.folder}


def create(call: Call) -> object:
    """PUT collection."""
    call.folder.create(call.name, decode(call.body, Create))
    return True


def delete_collection(call: Call) -> object:
    """DELETE collection."""
    return call.folder.delete(call.name)


def info(call: Call) -> object:
    """GET collection."""
    collection = call.collection
    found, spec = collection.shard.info(), collection.spec
    graph = spec.create.hnsw_config
    return {
        "status": "yellow" if collection.recreated and not found.points_count else "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": found.indexed_vectors_count,
        "points_count": found.points_count,
        "segments_count": found.segments_count,
        "config": {
            "params": {"vectors": spec.create.vectors, "sparse_vectors": spec.create.sparse_vectors},
            "hnsw_config": {
                "m": 16 if graph is None or graph.m is None else graph.m,
                "ef_construct": (graph and graph.ef_construct) or 100,
                "full_scan_threshold": (graph and graph.full_scan_threshold) or 10_000,
                "payload_m": graph and graph.payload_m,
            },
            "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 0},
            "metadata": spec.create.metadata,
        },
        "payload_schema": {
            field: {
                "data_type": schema if isinstance(schema, str) else schema.type,
                "points": found.points_count,
            }
            for field, schema in spec.indexes.items()
        },
    }


def create_index(call: Call) -> object:
    """PUT index."""
    wanted = decode(call.body, CreateIndex)
    call.collection.add_index(wanted.field_name, wanted.field_schema)
    return {"operation_id": 0, "status": "completed"}


def _write(call: Call, operation: edge.UpdateOperation, size: int) -> object:
    number = call.collection.write(operation, size=size, wait=call.wait)
    return {"operation_id": number, "status": "completed" if call.wait else "acknowledged"}


def upsert(call: Call) -> object:
    """PUT points."""
    given = points.listed(decode(call.body, Upsert))
    points.check(given, call.collection.spec)
    return _write(call, points.upsert(given), len(given))


def delete(call: Call) -> object:
    """POST points/delete."""
    body = decode(call.body, Delete)
    if (body.points is None) == (body.filter is None):
        raise RefusedError(400, "a delete has either points or filter")
    if body.points is not None:
        with engine_values():
            operation = edge.UpdateOperation.delete_points([*body.points])
        return _write(call, operation, len(body.points))
    if body.filter is None or filters.is_empty(body.filter):
        raise RefusedError(400, "a delete by filter needs a condition")
    filters.require_tenant(body.filter, call.collection.spec.tenant)
    wanted = filters.to_engine(body.filter)
    size = call.collection.shard.count(edge.CountRequest(filter=wanted, exact=False))
    return _write(call, edge.UpdateOperation.delete_points_by_filter(wanted), size)


def _nearest(body: Query, collection: Collection) -> edge.Query:
    wanted: list[float] | Sparse | None
    if isinstance(body.query, QueryVector):
        parts = body.query
        wanted = parts.nearest
        if parts.indices is not None and parts.values is not None and wanted is None:
            wanted = Sparse(indices=parts.indices, values=parts.values)
        elif parts.indices is not None or parts.values is not None:
            wanted = None
    else:
        wanted = body.query
    create = collection.spec.create
    if isinstance(wanted, Sparse) and body.using in create.sparse_vectors:
        return edge.Query.Nearest(edge.SparseVector(indices=wanted.indices, values=wanted.values), using=body.using)
    if isinstance(wanted, list) and body.using in create.vectors and len(wanted) == create.vectors[body.using].size:
        return edge.Query.Nearest(wanted, using=body.using)
    raise RefusedError(400, "Wrong input: the query vector does not fit the named vector")


def _engine_query(body: Query, collection: Collection) -> edge.QueryRequest:
    check_limit(body.limit, body.offset)
    filters.require_tenant(body.filter, collection.spec.tenant)
    params = body.params
    with engine_values():
        return edge.QueryRequest(
            limit=body.limit,
            offset=body.offset,
            query=_nearest(body, collection),
            filter=filters.optional(body.filter),
            with_payload=body.with_payload,
            with_vector=body.with_vector,
            score_threshold=body.score_threshold,
            params=edge.SearchParams(hnsw_ef=params.hnsw_ef, exact=params.exact) if params else None,
        )


def _answer(searches: list[Query], collection: Collection) -> list[dict[str, Any]]:
    request = edge.QueryBatchRequest([_engine_query(one, collection) for one in searches])
    return [
        {"points": [points.reply(hit, payload=one.with_payload, vector=one.with_vector) for hit in hits]}
        for one, hits in zip(searches, collection.shard.query_batch(request), strict=True)
    ]


def query(call: Call) -> object:
    """POST points/query."""
    return _answer([decode(call.body, Query)], call.collection)[0]


def query_batch(call: Call) -> object:
    """POST points/query/batch."""
    searches = decode(call.body, QueryBatch).searches
    if not 1 <= len(searches) <= 64:
        raise RefusedError(400, "a batch has 1..64 searches")
    return _answer(searches, call.collection)


def _check_scope(call: Call, given: Scroll | Count | Retrieve) -> None:
    tenant = call.collection.spec.tenant
    if tenant is None:
        return
    if not call.verify:
        if isinstance(given, Retrieve):
            raise RefusedError(400, "this collection is read by tenant: retrieve is for verification only")
        filters.require_tenant(given.filter, tenant)
    elif not isinstance(given, Count) and (
        given.with_vector is not False or given.with_payload not in (False, [tenant])
    ):
        raise RefusedError(400, f"verification sees no vectors and no payload but {tenant}")


def scroll(call: Call) -> object:
    """POST points/scroll."""
    body = decode(call.body, Scroll)
    check_limit(body.limit)
    _check_scope(call, body)
    found, following = call.collection.shard.scroll(
        edge.ScrollRequest(
            offset=body.offset,
            limit=body.limit,
            filter=filters.optional(body.filter),
            with_payload=body.with_payload,
            with_vector=body.with_vector,
        )
    )
    shown = [points.reply(one, payload=body.with_payload, vector=body.with_vector) for one in found]
    return {"points": shown, "next_page_offset": following}


def count(call: Call) -> object:
    """POST points/count."""
    body = decode(call.body, Count)
    _check_scope(call, body)
    request = edge.CountRequest(filter=filters.optional(body.filter), exact=body.exact)
    return {"count": call.collection.shard.count(request)}


def retrieve(call: Call) -> object:
    """POST points."""
    body = decode(call.body, Retrieve)
    _check_scope(call, body)
    if len(body.ids) > 10_000:
        raise RefusedError(400, "at most 10000 points at once")
    found = call.collection.shard.retrieve([*body.ids], body.with_payload, body.with_vector)
    return [points.reply(one, payload=body.with_payload, vector=body.with_vector) for one in found]
