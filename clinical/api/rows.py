"""Typed rows as the API shows them: every field but those that only lead back into the stored JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from clinical.domain.projection.rows import TypedRow

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[Mapping[str, type]] = {one.kind: one for one in get_args(TypedRow)}
_INNER: Final = frozenset({"anchor", "effective_sort"})


def shown(row_type: type) -> tuple[str, ...]:
    """Return the names of the fields that are shown of a kind."""
    return tuple(one.name for one in fields(row_type) if one.name not in _INNER and not one.name.endswith("_path"))


def values_of(row: TypedRow) -> dict[str, Any]:
    """Return a row as JSON values."""
    return {name: msgspec.to_builtins(getattr(row, name)) for name in shown(type(row))}
