"""What a document says of others: it replaces one, adds to one, or has its bytes in a Binary.

Source: HL7 FHIR R4 4.0.1, DocumentReference.relatesTo (https://hl7.org/fhir/R4/documentreference.html),
Reference.identifier (https://hl7.org/fhir/R4/references.html#logical) and Attachment.url. Of the four codes
"transforms" and "signs" change nothing in what the record says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.narrative import attachments_of
from clinical.domain.projection.elements import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator


class RelationKind(StrEnum):
    """What the other resource is to the document."""

    REPLACES = "replaces"
    APPENDS = "appends"
    CONTENT = "content"
    IDENTIFIED = "identified"  # by an identifier of the document's own


@dataclass(frozen=True, slots=True)
class Relation:
    """One reference: to a resource of this server, type and id.

    Where the target is named by an identifier, and where the document names its own, type is `BY_IDENTIFIER`, server is
    "" and id is system and value, so that one finds the other.
    """

    kind: RelationKind
    server: str
    target_type: str
    target_id: str


BY_IDENTIFIER: Final = "identifier"
_DOCUMENT: Final = "DocumentReference"
_BINARY: Final = "Binary"
_REFERENCE: Final = re.compile(
    r"(?:(https?://.+)/)?(DocumentReference|Binary)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$"
)
_KINDS: Final = {"replaces": RelationKind.REPLACES, "appends": RelationKind.APPENDS}


def relations_of(resource: dict[str, Any], server: str) -> tuple[Relation, ...]:
    """Return what a document, report or medium refers to, each once; a reference to itself is none.

    Args:
        resource: one FHIR R4 resource.
        server: base URL it came from, or "": what a relative reference means.
    """
    itself = (server, as_str(resource.get("resourceType")), as_str(resource.get("id")))
    found = dict.fromkeys((*_to_documents(resource, server), *_to_binaries(resource, server), *_own(resource)))
    return tuple(one for one in found if (one.server, one.target_type, one.target_id) != itself)


def _to_documents(resource: dict[str, Any], server: str) -> Iterator[Relation]:
    if resource.get("resourceType") != _DOCUMENT:
        return
    for one in as_list(resource.get("relatesTo")):
        kind, target = _KINDS.get(as_str(as_dict(one).get("code"))), as_dict(as_dict(one).get("target"))
        named = _REFERENCE.match(as_str(target.get("reference")))
        if kind and named and named[2] == _DOCUMENT:
            yield Relation(kind, named[1] or server, _DOCUMENT, named[3])
        elif kind and not target.get("reference") and target.get("type", _DOCUMENT) == _DOCUMENT:
            yield from _by_identifier(kind, target.get("identifier"), itself=_names(resource))


def _own(resource: dict[str, Any]) -> Iterator[Relation]:
    if resource.get("resourceType") == _DOCUMENT:
        for name in _names(resource):
            yield Relation(RelationKind.IDENTIFIED, "", BY_IDENTIFIER, name)


def _names(resource: dict[str, Any]) -> list[str]:
    """Return the identifiers of a document; one without a system or a value names nothing beyond doubt."""
    return [
        f"{system}|{value}"
        for one in (resource.get("masterIdentifier"), *as_list(resource.get("identifier")))
        if (system := as_str(as_dict(one).get("system"))) and (value := as_str(as_dict(one).get("value")))
    ]


def _by_identifier(kind: RelationKind, identifier: object, *, itself: list[str]) -> Iterator[Relation]:
    for name in _names({"identifier": identifier}):
        if name not in itself:
            yield Relation(kind, "", BY_IDENTIFIER, name)


def _to_binaries(resource: dict[str, Any], server: str) -> Iterator[Relation]:
    for attachment in attachments_of(resource):
        named = _REFERENCE.match(as_str(attachment.get("url")))
        if named and named[2] == _BINARY:
            yield Relation(RelationKind.CONTENT, named[1] or server, _BINARY, named[3])
