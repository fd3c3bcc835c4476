"""A version on its way into the record, prepared outside the write transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clinical.domain import chunks, json_spans, narrative
from clinical.domain.access import RESTRICTED_LABELS
from clinical.domain.passages import Part, passage_id
from clinical.domain.projection import project, to_payload
from clinical.domain.relations import Relation, relations_of
from clinical.domain.versions import VersionFacts, labels_of, source_time, status_of
from clinical.models.resource_version import version_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from clinical.keys import Cipher
    from clinical.models import Patient, ResourceVersion

LONGEST_JSON_PASSAGE: Final = 4000
# Decimals keep the record's own digits ("7.20").
decode_resource: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_NO_NARRATIVE: Final = frozenset({"entered-in-error"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """One resource version as the ingestion hands it over. `content` is its R4 JSON (UTF-8)."""

    patient: Patient | None
    server: str
    resource_type: str
    logical_id: str
    content: bytes
    deleted: bool
    feed: str
    original_sha256: str
    position: str


def as_held(row: ResourceVersion, patient: Patient, content: bytes, *, deleted: bool = False) -> Incoming:
    """Return a version that is held already as it would come in again, or its deletion (`content` empty)."""
    return Incoming(
        patient=patient,
        server=row.server,
        resource_type=row.resource_type,
        logical_id=row.logical_id,
        content=content,
        deleted=deleted,
        feed=row.feed,
        original_sha256=row.original_sha256,
        position=row.original_position,
    )


@dataclass(frozen=True, slots=True)
class PreparedFact:
    """A typed row, encrypted."""

    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class PreparedPassage:
    """A span worth finding again."""

    id: UUID
    part: Part
    start: int
    end: int
    section: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version with everything that can be computed before the transaction."""

    incoming: Incoming
    order: VersionFacts
    status: str
    effective: str
    labels: list[str]
    content: bytes
    facts: list[PreparedFact]
    passages: list[PreparedPassage]
    relations: tuple[Relation, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str]:
        """Server, type and id: what makes versions versions of one resource."""
        return (self.incoming.server, self.incoming.resource_type, self.incoming.logical_id)

    @property
    def restricted(self) -> bool:
        """Whether a security label keeps it from being searched."""
        return not RESTRICTED_LABELS.isdisjoint(self.labels)


def prepare(
    incoming: Incoming,
    cipher: Cipher,
    resource: dict[str, Any],
    related: Mapping[str, dict[str, Any]],
) -> Prepared:
    """Project, cut into passages and encrypt one version; pure apart from randomness.

    Args:
        incoming: the version; `resource` is its content decoded by `decode_resource`.
        cipher: of the patient, or of the site.
        resource: {} for a deletion.
        related: resources by reference, to name a drug that is only referred to.
    """
    digest = hashlib.sha256(incoming.content).hexdigest()
    key = version_key(incoming.server, incoming.resource_type, incoming.logical_id, digest)
    meta = resource.get("meta") or {}
    rows = [] if incoming.deleted or incoming.patient is None else project(resource, related)
    status = status_of(resource)
    passages: list[PreparedPassage] = []
    if incoming.patient is not None and not incoming.deleted and status not in _NO_NARRATIVE:
        passages = list(_passages(resource, incoming.content, key, cipher))
    return Prepared(
        incoming=incoming,
        order=VersionFacts(
            sha256=digest,
            source_version=str(meta.get("versionId", "")),
            source_updated=source_time(str(meta.get("lastUpdated", ""))),
            deleted=incoming.deleted,
        ),
        status=status,
        effective=(rows[0].effective if rows else "") or _document_date(resource),
        labels=labels_of(resource),
        content=cipher.encrypt(incoming.content, binding=key),
        facts=[
            PreparedFact(
                kind=row.kind,
                payload=cipher.encrypt(msgspec.json.encode(to_payload(row)), binding=f"{key}#{ordinal}:{row.kind}"),
            )
            for ordinal, row in enumerate(rows)
        ],
        passages=passages,
        relations=() if incoming.deleted or status in _NO_NARRATIVE else relations_of(resource, incoming.server),
    )


def _document_date(resource: dict[str, Any]) -> str:
    """Return when what a document tells of took place (context.period), else when it was written."""
    context = resource.get("context")
    period = context.get("period") if isinstance(context, dict) else None
    if isinstance(period, dict) and isinstance(period.get("start"), str):
        return str(period["start"])
    attachments = (item.get("attachment") for item in resource.get("content", ()) if isinstance(item, dict))
    return next((str(one["creation"]) for one in attachments if isinstance(one, dict) and one.get("creation")), "")


def _passages(resource: dict[str, Any], content: bytes, key: str, cipher: Cipher) -> Iterator[PreparedPassage]:
    """Cut the narrative of a resource into passages with exact offsets."""
    text = narrative.text_part(resource)
    for chunk in chunks.chunk(text):
        yield _passage(key, Part.TEXT, chunk.start, chunk.end, chunk.section, text, cipher)
    fields = narrative.narrative_fields(resource)
    if not fields:
        return
    json_text = content.decode()
    for path, _value in fields:
        start, end = json_spans.locate(json_text, path)
        inner = json_text[start + 1 : end - 1]  # without the quotation marks
        if len(inner) <= LONGEST_JSON_PASSAGE:
            pieces = [(0, len(inner), "")]
        else:
            pieces = [(c.start, c.end, c.section) for c in chunks.chunk(inner)]
        for first, last, section in pieces:
            if first < last:
                yield _passage(key, Part.JSON, start + 1 + first, start + 1 + last, section, json_text, cipher)


def _passage(key: str, part: Part, start: int, end: int, section: str, text: str, cipher: Cipher) -> PreparedPassage:
    return PreparedPassage(
        id=passage_id(key, part, start, end),
        part=part,
        start=start,
        end=end,
        section=section[:40],
        content_digest=cipher.digest(text[start:end]),
    )
