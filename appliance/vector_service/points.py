"""Points: checked against the collection before the engine sees them, and turned back into JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import qdrant_edge as edge

from appliance.vector_service.wire import (
    MAX_DEPTH,
    Columns,
    Point,
    RefusedError,
    Sparse,
    Upsert,
    engine_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.vector_service.spec import Spec

Selection: TypeAlias = bool | list[str]


def listed(body: Upsert) -> list[Point]:
    """Return the points of either form of upsert."""
    if (body.points is None) == (body.batch is None):
        raise RefusedError(400, "an upsert has either points or batch")
    return body.points if body.points is not None else _from_columns(body.batch)


def _from_columns(columns: Columns | None) -> list[Point]:
    if columns is None:
        return []
    size = len(columns.ids)
    payloads = columns.payloads if columns.payloads is not None else [None] * size
    if len(payloads) != size or any(len(column) != size for column in columns.vectors.values()):
        raise RefusedError(400, "the columns of a batch differ in length")
    return [
        Point(id=columns.ids[i], vector={n: c[i] for n, c in columns.vectors.items()}, payload=payloads[i])
        for i in range(size)
    ]


def check(points: Iterable[Point], spec: Spec) -> None:
    """Refuse points that do not fit: the engine logs a write before it notices, so it must not see them.

    Raises:
        RefusedError: 400.
    """
    sizes = {name: dense.size for name, dense in spec.create.vectors.items()}
    sparse = spec.create.sparse_vectors
    for point in points:
        if spec.tenant is not None and not isinstance((point.payload or {}).get(spec.tenant), str):
            raise RefusedError(400, f"a point of this collection needs a text {spec.tenant}")
        if _deeper(point.payload, MAX_DEPTH):
            raise RefusedError(400, "a payload is nested too deeply")
        for name, vector in point.vector.items():
            if isinstance(vector, Sparse):
                if name not in sparse:
                    raise RefusedError(400, "Wrong input: Not existing sparse vector name")
            elif len(vector) != sizes.get(name):
                raise RefusedError(400, "Wrong input: Vector dimension error or unknown vector name")


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner)


def upsert(points: Iterable[Point]) -> edge.UpdateOperation:
    """Return the engine's upsert."""
    with engine_values():
        return edge.UpdateOperation.upsert_points(
            [
                edge.Point(
                    id=point.id,
                    vector={
                        name: edge.SparseVector(indices=vector.indices, values=vector.values)
                        if isinstance(vector, Sparse)
                        else vector
                        for name, vector in point.vector.items()
                    },
                    payload=point.payload,
                )
                for point in points
            ]
        )


def _vector(vector: object) -> object:
    if isinstance(vector, dict):
        return {name: _vector(one) for name, one in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def reply(found: edge.ScoredPoint | edge.Record, *, payload: Selection, vector: Selection) -> dict[str, Any]:
    """Return a found point as JSON values: what was asked for and nothing else."""
    shown: dict[str, Any] = {"id": found.id}
    if isinstance(found, edge.ScoredPoint):
        shown |= {"version": found.version, "score": found.score}
    if payload is not False:
        shown["payload"] = found.payload or {}
    if vector is not False:
        shown["vector"] = _vector(found.vector)
    return shown
