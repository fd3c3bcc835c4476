"""Filters: from the request to the engine, and whether they name one tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import qdrant_edge as edge

from appliance.vector_service.wire import MAX_DEPTH, Condition, Filter, Match, RefusedError, engine_values

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("key", "is_empty", "has_id")
CLAUSES = ("must", "should", "must_not")


def _listed(clause: list[Condition] | Condition | None) -> list[Condition]:
    if clause is None:
        return []
    return [clause] if isinstance(clause, Condition) else clause


def tenants(of: Filter | Condition | None, field: str) -> Iterator[str]:
    """Yield every value that `field` must equal; a conjunction inside a conjunction counts too."""
    if of is None:
        return
    for condition in _listed(of.must):
        if condition.key == field and condition.match is not None:
            if isinstance(condition.match.value, str):
                yield condition.match.value
        elif condition.key is None:
            yield from tenants(condition, field)


def require_tenant(of: Filter | None, field: str | None) -> None:
    """Refuse a request on a tenant collection whose filter does not name exactly one tenant.

    Raises:
        RefusedError: 400.
    """
    if field is not None and len(set(tenants(of, field))) != 1:
        raise RefusedError(400, f"this collection is read by tenant: one must condition on {field} is required")


def is_empty(of: Filter) -> bool:
    """Return whether the filter has no condition and so matches everything."""
    return not any(_listed(getattr(of, clause)) for clause in CLAUSES)


def to_engine(of: Filter) -> edge.Filter:
    """Return the engine's filter.

    Raises:
        RefusedError: 400; a condition is empty or of several kinds at once, or nested too deeply.
    """
    with engine_values():
        return _clauses(of, MAX_DEPTH)


def _clauses(of: Filter | Condition, levels: int) -> edge.Filter:
    if levels == 0:
        raise RefusedError(400, "a filter is nested too deeply")
    must, should, must_not = (
        [_condition(one, levels) for one in _listed(clause)] or None for clause in (of.must, of.should, of.must_not)
    )
    return edge.Filter(must=must, should=should, must_not=must_not)


def optional(of: Filter | None) -> edge.Filter | None:
    """Return the engine's filter, or None where none was given."""
    return None if of is None else to_engine(of)


def _condition(one: Condition, levels: int) -> edge.ConditionType:
    kinds = [kind for kind in KINDS if getattr(one, kind) is not None]
    nested = any(getattr(one, clause) is not None for clause in CLAUSES)
    if len(kinds) + nested != 1:
        raise RefusedError(400, "a condition has exactly one kind: key, is_empty, has_id or a nested filter")
    if kinds != ["key"] and (one.match is not None or one.range is not None):
        raise RefusedError(400, "match and range need a key")
    if one.is_empty is not None:
        return edge.IsEmptyCondition(key=one.is_empty.key)
    if one.has_id is not None:
        return edge.HasIdCondition(point_ids=set(one.has_id))
    if one.key is None:
        return _clauses(one, levels - 1)
    return _field(one.key, one)


def _field(key: str, one: Condition) -> edge.FieldCondition:
    if (one.match is None) == (one.range is None):
        raise RefusedError(400, "a field condition has either match or range")
    if one.match is not None:
        return edge.FieldCondition(key=key, match=_match(one.match))
    bounds = msgspec.structs.asdict(one.range) if one.range else {}
    if all(bound is None for bound in bounds.values()):
        raise RefusedError(400, "a range needs a bound")
    return edge.FieldCondition(key=key, range=edge.RangeFloat(**bounds))


def _match(match: Match) -> edge.MatchType:
    given = [value for value in (match.value, match.any, match.except_) if value is not None]
    if len(given) != 1:
        raise RefusedError(400, "a match has exactly one of value, any, except")
    if match.value is not None:
        return edge.MatchValue(value=match.value)
    listed = match.any if match.any is not None else match.except_
    texts = [value for value in listed or () if isinstance(value, str)]
    numbers = [value for value in listed or () if not isinstance(value, str)]
    if bool(texts) == bool(numbers):
        raise RefusedError(400, "any and except take a list of values of one type")
    values = texts or numbers
    return edge.MatchAny(any=values) if match.any is not None else edge.MatchExcept(values)
