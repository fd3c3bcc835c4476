"""Rows to JSON-able payloads and back, exactly."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, get_args

from clinical.domain.projection.rows import Component, ReferenceRange, Row, TypedRow, Value

_KINDS: dict[str, type[Row]] = {cls.kind: cls for cls in get_args(TypedRow)}


class UnknownKindError(Exception):
    """The payload was written by another release; rebuild the facts from the resource versions."""

    def __init__(self) -> None:
        super().__init__("unknown-kind")
        self.reason = "unknown-kind"


def to_payload(row: TypedRow) -> dict[str, Any]:
    """Return the row as JSON-able values with its `kind`; dates are ISO 8601 with an offset."""
    payload = asdict(row)
    payload["kind"] = row.kind
    payload["effective_sort"] = row.effective_sort.isoformat()
    return payload


def from_payload(payload: dict[str, Any]) -> TypedRow:
    """Return the row that `to_payload` wrote, also after a round trip through JSON.

    Raises:
        UnknownKindError: the kind or its fields are not of this release.
    """
    cls = _KINDS.get(payload.get("kind", ""))
    if cls is None or {field.name for field in fields(cls)} != payload.keys() - {"kind"}:
        raise UnknownKindError
    values = {name: _decode(name, value) for name, value in payload.items() if name != "kind"}
    return cls(**values)  # type: ignore[return-value]  # every class in _KINDS is one of TypedRow


def _decode(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON values of any kind
    match name, value:
        case "effective_sort", str():
            return datetime.fromisoformat(value)
        case "value", dict():
            return Value(**_tuples(value))
        case "components", _:
            return tuple(Component(**{key: _decode(key, part) for key, part in item.items()}) for item in value)
        case "ranges", _:
            return tuple(ReferenceRange(**item) for item in value)
        case _:
            return _tuple(value)


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) for key, value in item.items()}


def _tuple(value: Any) -> Any:  # noqa: ANN401 - JSON values of any kind
    return tuple(map(_tuple, value)) if isinstance(value, (list, tuple)) else value
