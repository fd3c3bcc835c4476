"""One batch of parsed items: each to the record, the library, the unassigned queue or quarantine."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from clinical.domain.relations import relations_of
from clinical.domain.versions import Effect
from clinical.guidelines.services import store_edition
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.identity.services import UnassignedError, complete
from clinical.keys import cipher_of, site_cipher
from clinical.record.incoming import Incoming, Prepared, decode_resource, prepare
from clinical.record.merging import refuse_merged
from clinical.record.selectors import current_patient_resource
from clinical.record.withdrawal import withdraw, withdrawn_versions
from clinical.record.writer import heard_from, write
from ingestion.domain.documents.binaries import names_binary
from ingestion.domain.items import GuidelineItem, MergeItem, RejectedItem, ResourceItem
from ingestion.models import QuarantinedItem, UnassignedItem
from ingestion.steps.binaries import put_together, refuse_others_binary
from ingestion.steps.consents import again, follow_consents
from ingestion.steps.merges import PreparedMerge, prepare_merge
from ingestion.steps.owner import ANOTHERS, Held, held_of, identity_of, owner_of
from ingestion.steps.related import related_to
from ingestion.steps.subject import subject_digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from clinical.domain.guideline import GuidelineDocument
    from clinical.keys import Cipher
    from clinical.models import Patient
    from ingestion.domain.items import Item
    from ingestion.models import IngestJob
    from ingestion.steps.same_file import SameFile

MERGE: Final = "merge"


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
    merges: list[PreparedMerge] = field(default_factory=list)
    demographics: list[tuple[Patient, dict[str, Any], Prepared]] = field(default_factory=list)
    medications: dict[str, dict[str, Any]] = field(default_factory=dict)
    ciphers: dict[UUID | None, Cipher] = field(default_factory=dict)
    restored: dict[int, list[Prepared]] = field(default_factory=dict)
    """By id() of a Patient that comes back: what takes effect again with him."""
    unassigned: list[UnassignedItem] = field(default_factory=list)
    quarantined: list[QuarantinedItem] = field(default_factory=list)

    def write(self, *, now: datetime) -> Tally:
        """Write everything in the caller's transaction and say where each item went.

        Raises:
            as `write_batches`.
        """
        [tally] = write_batches([self], now=now)
        return tally

    def follow(self, effects: list[Effect], *, now: datetime) -> Tally:
        """Write what follows from the versions' effects, and count; in the caller's transaction."""
        took_effect = {
            id(prepared) for prepared, effect in zip(self.versions, effects, strict=True) if effect is Effect.STORED
        }
        for patient, described, prepared in self.demographics:
            resource = described
            if id(prepared) not in took_effect:
                continue
            if prepared.incoming.deleted:
                withdraw(patient.id, prepared, now=now)
                resource = current_patient_resource(patient) or {}
            complete(patient, resource)
            write(self.restored.get(id(prepared), []), now=now)
        put_together(self.versions, effects, now=now)
        follow_consents(self.versions, effects, now=now)
        all_effects = [*effects, *(store_edition(item, now=now) for item in self.guidelines)]
        all_effects += [one.write(now=now) for one in self.merges]
        counts = Counter(all_effects)
        return Tally(
            stored=counts[Effect.STORED],
            unchanged=counts[Effect.UNCHANGED] + self.unchanged,
            superseded=counts[Effect.SUPERSEDED],
            unassigned=len(self.unassigned),
            quarantined=len(self.quarantined),
        )


def write_batches(batches: Sequence[PreparedBatch], *, now: datetime) -> list[Tally]:
    """Write several batches in the order given, in the caller's transaction, with as few statements as one needs.

    Deletions, merges and guidelines take effect after the versions of all of them, so a batch that has any has to
    be written by itself.

    Raises:
        MergeError: another merge was made meanwhile; decide again.
        django.db.IntegrityError: another writer was first; decide again.
    """
    versions = [one for batch in batches for one in batch.versions]
    refuse_merged({one.incoming.patient.id for one in versions if one.incoming.patient is not None})
    effects = iter(write(versions, now=now))
    tallies = [batch.follow([next(effects) for _ in batch.versions], now=now) for batch in batches]
    UnassignedItem.objects.bulk_create([one for batch in batches for one in batch.unassigned])
    QuarantinedItem.objects.bulk_create([one for batch in batches for one in batch.quarantined])
    for feed in dict.fromkeys(batch.feed for batch in batches):
        heard_from(feed, now=now)
    return tallies


def take_in(
    job: IngestJob,
    first: int,
    items: list[Item],
    *,
    now: datetime,
    file: SameFile | None = None,
    held: Held | None = None,
) -> PreparedBatch:
    """Prepare a batch.

    Args:
        job: whose items these are.
        first: the ordinal of the first of them in the file.
        items: in file order.
        now: timezone-aware.
        file: what else stands in it.
        held: where it was asked for already, for batches that are written together.
    """
    if held is None:
        held = held_of([item for item in items if isinstance(item, ResourceItem)], file)
    batch = PreparedBatch(job.feed, held)
    for ordinal, item in enumerate(items, start=first):
        match item:
            case RejectedItem():
                batch.quarantined.append(_quarantined(job, ordinal, item, now=now))
            case GuidelineItem():
                batch.guidelines.append(item.document)
            case MergeItem():
                _take_merge(batch, job, ordinal, item, now=now)
            case ResourceItem():
                _take_resource(batch, job, ordinal, item, now=now)
            case _:
                assert_never(item)
    return batch


def _take_merge(batch: PreparedBatch, job: IngestJob, ordinal: int, item: MergeItem, *, now: datetime) -> None:
    try:
        batch.merges.append(prepare_merge(item, job, batch.held.file))
    except UnassignedError as error:
        batch.unassigned.append(
            UnassignedItem(
                job=job,
                ordinal=ordinal,
                position=item.position[:64],
                resource_type=MERGE,
                reason=error.reason,
                created_at=now,
            )
        )


def _take_resource(batch: PreparedBatch, job: IngestJob, ordinal: int, item: ResourceItem, *, now: datetime) -> None:
    if _is_held(batch, item):
        batch.unchanged += 1  # held already: nothing has to be decoded
        if item.resource_type == "Patient" and batch.held.file is not None:
            batch.held.file.note(item, assigned=True)
        return
    resource: dict[str, Any] = decode_resource(item.content) if item.content and not item.delete else {}
    try:
        patient = owner_of(item, resource, batch.held)
        if patient is not None and names_binary(item):
            refuse_others_binary(relations_of(resource, item.server), patient)
    except UnassignedError as error:
        batch.unassigned.append(
            UnassignedItem(
                job=job,
                ordinal=ordinal,
                position=item.position[:64],
                resource_type=item.resource_type,
                reason=error.reason,
                about=subject_digest(item, resource),
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
        _cipher(batch, patient),
        resource,
        related_to(resource, item.server, batch.medications),
    )
    if item.resource_type == "Medication":
        batch.medications[f"Medication/{item.resource_id}"] = resource
    batch.versions.append(prepared)
    if item.resource_type == "Patient" and patient is not None:
        batch.demographics.append((patient, resource, prepared))
        if not item.delete and identity_of(item) in batch.held.deleted:
            batch.restored[id(prepared)] = _withdrawn(batch, patient)


def _is_held(batch: PreparedBatch, item: ResourceItem) -> bool:
    """Return whether the record holds these very bytes, and not in another person's record.

    In a file of no known server "Patient/x" means whom that file describes: the same bytes may speak of two people.
    Where it describes nobody, they are whose they were decided to be.
    """
    identity = identity_of(item)
    if item.delete or batch.held.current.get(identity) != hashlib.sha256(item.content).hexdigest():
        return False
    if item.resource_type == "Patient" or batch.held.owners.get(identity) is None or is_known(FHIR_ID + item.server):
        return True
    try:
        owner_of(item, decode_resource(item.content), batch.held)
    except UnassignedError as error:
        return error.reason != ANOTHERS
    return True


def _withdrawn(batch: PreparedBatch, patient: Patient) -> list[Prepared]:
    """Prepare again what was taken out of effect with a Patient resource that comes back."""
    cipher = _cipher(batch, patient)
    return [again(row, patient, cipher) for row in withdrawn_versions(patient.id)]


def _cipher(batch: PreparedBatch, patient: Patient | None) -> Cipher:
    """Return the cipher of the patient, or the site's; asked for once a batch."""
    owner = None if patient is None else patient.id
    if owner not in batch.ciphers:
        batch.ciphers[owner] = site_cipher() if patient is None else cipher_of(patient)
    return batch.ciphers[owner]


def _quarantined(job: IngestJob, ordinal: int, item: RejectedItem, *, now: datetime) -> QuarantinedItem:
    return QuarantinedItem(
        job=job,
        ordinal=ordinal,
        position=item.position[:64],
        reason=item.reason[:64],
        detail=item.detail[:255],
        created_at=now,
    )
