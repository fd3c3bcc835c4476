"""The services on offer and the reasons for overriding a card.

Source: CDS Hooks 2.0, "Discovery" and "Prefetch Template": tokens are root-level primitive fields of the context.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from clinical.domain.cds.card import OverrideReason  # noqa: TC001 - msgspec looks at it when decoding


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `prefetch` are FHIR queries by key."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Catalogue:
    services: tuple[Service, ...]
    override_reasons: tuple[OverrideReason, ...]


@cache
def _read() -> _Catalogue:
    return msgspec.json.decode(files(__package__).joinpath("catalogue.json").read_bytes(), type=_Catalogue)


def service(service_id: str) -> Service | None:
    """Return the service with this id, or None."""
    return next((one for one in _read().services if one.id == service_id), None)


def discovery() -> dict[str, Any]:
    """Return the reply of the discovery endpoint."""
    found: dict[str, Any] = {"services": msgspec.to_builtins(_read().services)}
    return found


def override_reasons() -> tuple[OverrideReason, ...]:
    """Return the reasons offered with every card."""
    return _read().override_reasons
