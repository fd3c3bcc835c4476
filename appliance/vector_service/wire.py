"""Request bodies of the served part of Qdrant's REST API, decoded strictly."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LIMIT = 10_000  # points a reply may hold
# The engine writes deeper values to its log and then cannot read its log: the whole shard would be lost.
MAX_DEPTH = 16
Body = TypeVar("Body")


class RefusedError(Exception):
    """The request is not served: HTTP status and a reason without any value from the request."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A JSON object in which an unknown key is an error."""


PointId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | UUID
Number = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]  # finite as a 32-bit float too
SparseIndex = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class Sparse(Strict, frozen=True):
    """A sparse vector: parallel indices (unsigned 32-bit, unique) and weights."""

    indices: list[SparseIndex]
    values: list[Number]

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.values) or len(set(self.indices)) != len(self.indices):
            raise ValueError("a sparse vector needs as many unique indices as values")


class Match(Strict, frozen=True):
    """Exact match: one of the three."""

    value: str | int | bool | None = None
    any: list[str | int] | None = None
    except_: list[str | int] | None = msgspec.field(default=None, name="except")


class Range(Strict, frozen=True):
    """Numeric bounds."""

    lt: Number | None = None
    gt: Number | None = None
    gte: Number | None = None
    lte: Number | None = None


class FieldKey(Strict, frozen=True):
    """Name of a payload field."""

    key: str


class Condition(Strict, frozen=True):
    """A field, identifier or emptiness condition, or a nested filter; filters.py checks which."""

    key: str | None = None
    match: Match | None = None
    range: Range | None = None
    is_empty: FieldKey | None = None
    has_id: list[PointId] | None = None
    must: list[Condition] | Condition | None = None
    should: list[Condition] | Condition | None = None
    must_not: list[Condition] | Condition | None = None


class Filter(Strict, frozen=True):
    """Conjunction of must, any of should, none of must_not."""

    must: list[Condition] | Condition | None = None
    should: list[Condition] | Condition | None = None
    must_not: list[Condition] | Condition | None = None


class Point(Strict, frozen=True):
    """A point with named vectors."""

    id: PointId
    vector: dict[str, list[Number] | Sparse]
    payload: dict[str, Any] | None = None


class Columns(Strict, frozen=True):
    """Points in column form; the length of each column is checked."""

    ids: list[PointId]
    vectors: dict[str, list[list[Number] | Sparse]]
    payloads: list[dict[str, Any] | None] | None = None


class Upsert(Strict, frozen=True):
    """PUT points: a list of points or columns."""

    points: list[Point] | None = None
    batch: Columns | None = None


class Delete(Strict, frozen=True):
    """Points to delete: identifiers or a filter, exactly one."""

    points: list[PointId] | None = None
    filter: Filter | None = None


class QueryVector(Strict, frozen=True):
    """`{"nearest": vector}`, or a sparse vector as it is."""

    nearest: list[Number] | Sparse | None = None
    indices: list[SparseIndex] | None = None
    values: list[Number] | None = None


class SearchParams(Strict, frozen=True):
    """Search parameters."""

    hnsw_ef: int | None = None
    exact: bool = False


class Query(Strict, frozen=True):
    """One nearest-neighbour query."""

    query: list[Number] | QueryVector
    using: str
    filter: Filter | None = None
    limit: int = 10
    offset: int = 0
    with_payload: bool | list[str] = False
    with_vector: bool | list[str] = False
    score_threshold: float | None = None
    params: SearchParams | None = None


class QueryBatch(Strict, frozen=True):
    """Several queries answered in one reply, in the same order."""

    searches: list[Query]


class Scroll(Strict, frozen=True):
    """A page of points in the order of their identifiers."""

    filter: Filter | None = None
    limit: int = 10
    offset: PointId | None = None
    with_payload: bool | list[str] = True
    with_vector: bool | list[str] = False


class Count(Strict, frozen=True):
    """Count of points."""

    filter: Filter | None = None
    exact: bool = True


class Retrieve(Strict, frozen=True):
    """Points by identifier."""

    ids: list[PointId]
    with_payload: bool | list[str] = True
    with_vector: bool | list[str] = False


def decode(body: bytes, kind: type[Body]) -> Body:
    """Decode a request body.

    Raises:
        RefusedError: 400; the body is not JSON of this shape. Names fields, never values.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise RefusedError(400, f"Format error in JSON body: {error}") from None


@contextmanager
def engine_values() -> Iterator[None]:
    """Refuse what the engine's own types do not take (a number too large, a field name it cannot parse)."""
    try:
        yield
    except (ValueError, OverflowError):
        raise RefusedError(400, "Wrong input: a value the engine does not take") from None


def check_limit(limit: int, offset: int = 0) -> None:
    """Refuse a page that is empty or too large."""
    if not 1 <= limit <= MAX_LIMIT or not 0 <= offset <= MAX_LIMIT:
        raise RefusedError(400, f"limit must be 1..{MAX_LIMIT} and offset 0..{MAX_LIMIT}")
