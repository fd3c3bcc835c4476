"""One batch of parsed items: each to the record, the library, the unassigned queue or quarantine."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from clinical.domain.versions import Effect
from clinical.guidelines.services import store_edition
from clinical.identity.services import UnassignedError, complete
from clinical.keys import cipher_of, site_cipher
from clinical.record.incoming import Incoming, Prepared, decode_resource, prepare
from clinical.record.writer import heard_from, write
from ingestion.domain.items import GuidelineItem, RejectedItem, ResourceItem
from ingestion.models import QuarantinedItem, UnassignedItem
from ingestion.steps.owner import Held, held_of, identity_of, owner_of
from ingestion.steps.related import related_to

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from clinical.domain.guideline import GuidelineDocument
    from clinical.models import Patient
    from ingestion.domain.items import Item
    from ingestion.models import IngestJob


@dataclass(frozen=True, slots=True)
class Tally:
    """Where the items of a batch went; `received` is the sum of the others."""

    stored: int = 0
    unchanged: int = 0
    superseded: int = 0
    unassigned: int = 0
    quarantined: int = 0

    @property
    def received(self) -> int:
        """All items of the batch."""
        return self.stored + self.unchanged + self.superseded + self.unassigned + self.quarantined


@dataclass(slots=True)
class PreparedBatch:
    """A batch decoded, assigned and encrypted; writing it is all that is left for the transaction."""

    feed: str
    held: Held
    unchanged: int = 0
    versions: list[Prepared] = field(default_factory=list)
    guidelines: list[GuidelineDocument] = field(default_factory=list)
    demographics: list[tuple[Patient, dict[str, Any], Prepared]] = field(default_factory=list)
    medications: dict[str, dict[str, Any]] = field(default_factory=dict)
    unassigned: list[UnassignedItem] = field(default_factory=list)
    quarantined: list[QuarantinedItem] = field(default_factory=list)

    def write(self, *, now: datetime) -> Tally:
        """Write everything in the caller's transaction and say where each item went."""
        effects = write(self.versions, now=now)
        took_effect = {
            id(prepared) for prepared, effect in zip(self.versions, effects, strict=True) if effect is Effect.STORED
        }
        for patient, resource, prepared in self.demographics:
            if id(prepared) in took_effect:
                complete(patient, resource)
        effects += [store_edition(item, now=now) for item in self.guidelines]
        UnassignedItem.objects.bulk_create(self.unassigned)
        QuarantinedItem.objects.bulk_create(self.quarantined)
        heard_from(self.feed, now=now)
        counts = Counter(effects)
        return Tally(
            stored=counts[Effect.STORED],
            unchanged=counts[Effect.UNCHANGED] + self.unchanged,
            superseded=counts[Effect.SUPERSEDED],
            unassigned=len(self.unassigned),
            quarantined=len(self.quarantined),
        )


def take_in(job: IngestJob, first: int, items: list[Item], *, now: datetime) -> PreparedBatch:
    """Prepare a batch; `first` is the ordinal of its first item in the file."""
    held = held_of([item for item in items if isinstance(item, ResourceItem)])
    batch = PreparedBatch(job.feed, held)
    for ordinal, item in enumerate(items, start=first):
        match item:
            case RejectedItem():
                batch.quarantined.append(_quarantined(job, ordinal, item, now=now))
            case GuidelineItem():
                batch.guidelines.append(item.document)
            case ResourceItem():
                _take_resource(batch, job, ordinal, item, now=now)
            case _:
                assert_never(item)
    return batch


def _take_resource(batch: PreparedBatch, job: IngestJob, ordinal: int, item: ResourceItem, *, now: datetime) -> None:
    if not item.delete and batch.held.current.get(identity_of(item)) == hashlib.sha256(item.content).hexdigest():
        batch.unchanged += 1  # held already: nothing has to be decoded
        return
    resource: dict[str, Any] = decode_resource(item.content) if item.content and not item.delete else {}
    try:
        patient = owner_of(item, resource, batch.held)
    except UnassignedError as error:
        batch.unassigned.append(
            UnassignedItem(
                job=job,
                ordinal=ordinal,
                position=item.position[:64],
                resource_type=item.resource_type,
                reason=error.reason,
                created_at=now,
            )
        )
        return
    prepared = prepare(
        Incoming(
            patient=patient,
            server=item.server,
            resource_type=item.resource_type,
            logical_id=item.resource_id,
            content=item.content,
            deleted=item.delete,
            feed=job.feed,
            original_sha256=job.original_id,
            position=item.position[:64],
        ),
        site_cipher() if patient is None else cipher_of(patient),
        resource,
        related_to(resource, item.server, batch.medications),
    )
    if item.resource_type == "Medication":
        batch.medications[f"Medication/{item.resource_id}"] = resource
    batch.versions.append(prepared)
    if item.resource_type == "Patient" and patient is not None and not item.delete:
        batch.demographics.append((patient, resource, prepared))


def _quarantined(job: IngestJob, ordinal: int, item: RejectedItem, *, now: datetime) -> QuarantinedItem:
    return QuarantinedItem(
        job=job,
        ordinal=ordinal,
        position=item.position[:64],
        reason=item.reason[:64],
        detail=item.detail[:255],
        created_at=now,
    )
