"""What the mappings of other formats to FHIR R4 share: a resource with its place, and stable ids."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_NAMESPACE: Final = uuid.UUID("6f0d8b7e-6e2e-5b8d-9a55-8d0c6d1f2b11")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A FHIR R4 resource and the part of the original it came from."""

    resource: Json
    place: str


def stable_id(*parts: str) -> str:
    """Return an id that is the same whenever the same thing is spoken of."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def unused_id(resource: Json, held: Mapping[tuple[str, str], object]) -> str:
    """Return an id no other resource of the same original has.

    Senders repeat numbers that should be unique; the second thing under one number is then known by its
    place among them, so that none is lost.
    """
    kind, number = resource["resourceType"], 1
    found = resource["id"]
    while (kind, found) in held:
        number += 1
        found = stable_id(kind, resource["id"], str(number))
    return str(found)


def clean(value: Json) -> Json:
    """Return the object without empty members: FHIR JSON has neither nulls nor empty strings."""
    return {key: one for key, one in value.items() if one not in ("", None, [], {}, ())}


def coding(system: str, code: str, display: str = "") -> Json:
    """Return a Coding."""
    return clean({"system": system, "code": code, "display": display})


def coded(system: str, code: str, display: str = "") -> Json:
    """Return a CodeableConcept of one coding."""
    return {"coding": [coding(system, code, display)]}
