"""Rows to JSON-able payloads and back, exactly."""

from __future__ import annotations

from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any, get_args

import msgspec

from clinical.domain.projection.rows import Component, ReferenceRange, Row, TypedRow, Value

_KINDS: dict[str, type[Row]] = {cls.kind: cls for cls in get_args(TypedRow)}
_DECODERS: dict[str, msgspec.json.Decoder[TypedRow]] = {kind: msgspec.json.Decoder(cls) for kind, cls in _KINDS.items()}


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


def read_payload(kind: str, payload: bytes) -> TypedRow:
    """Return the row whose `to_payload` was written as JSON; many times faster than decoding the JSON first.

    A field that this release does not know is left out.

    Args:
        kind: of the row.
        payload: UTF-8.

    Raises:
        UnknownKindError: the kind or its fields are not of this release.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnknownKindError
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError:
        return from_payload(msgspec.json.decode(payload))


def from_payload(payload: dict[str, Any]) -> TypedRow:
    """Return the row that `to_payload` wrote, also after a round trip through JSON.

    Raises:
        UnknownKindError: the kind or its fields are not of this release.
    """
    cls = _KINDS.get(payload.get("kind", ""))
    if cls is None or not _fits(cls, payload.keys() - {"kind"}):
        raise UnknownKindError
    values = {name: _decode(name, value) for name, value in payload.items() if name != "kind"}
    return cls(**values)  # type: ignore[return-value]  # every class in _KINDS is one of TypedRow


def _fits(cls: type[Row], names: set[str]) -> bool:
    """Return whether these are the fields of the row; one with a default may be missing (an older release)."""
    known = {field.name for field in fields(cls)}
    return {field.name for field in fields(cls) if field.default is MISSING} <= names <= known


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
