"""A person says whose an unassigned item is: it goes into that record by the ordinary writer, and can be taken out.

The job's counts move with it, in the transaction of its effect: from unassigned to stored, unchanged or
superseded, and back when the assignment is undone. What was received still equals the sum of the others.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from clinical.identity.services import UnassignedError, refuse_erased
from clinical.keys import cipher_of
from clinical.models import Patient, ResourceVersion
from clinical.ports import backends
from clinical.record.consent import WITHDRAWN
from clinical.record.incoming import Incoming, decode_resource, prepare
from clinical.record.merging import MergeError
from clinical.record.selectors import resource_of
from clinical.record.take_out import take_out
from clinical.record.withdrawal import is_withdrawn
from ingestion.domain.items import ResourceItem
from ingestion.held.policy import WHY_ASSIGN, WHY_UNDO, Act, Acting, DecisionError, known_reason
from ingestion.held.reading import items_at
from ingestion.models import IngestJob, Resolution, UnassignedItem
from ingestion.pipeline import INDEX_TASK, MOST_RETRIES
from ingestion.steps.owner import held_of, identity_of
from ingestion.steps.related import related_to
from ingestion.steps.take_in import PreparedBatch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

FEED: Final = "operators"
"""The door by which people's decisions come in. An item keeps the feed it came by; that feed has not spoken."""
_EFFECTS: Final = ("stored", "unchanged", "superseded")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one item: an effect ("stored", "unchanged", "superseded"), or why it stays, as a code."""

    item: int
    effect: str = ""
    refused: str = ""


def assign(items: Iterable[int], patient_id: UUID, *, why: str, by: Acting) -> list[Done]:
    """Put unassigned items into a patient's record, each in a transaction of its own; doing it again changes nothing.

    Args:
        items: primary keys of `UnassignedItem`.
        patient_id: whose record.
        why: one of `WHY_ASSIGN`.
        by: who decides; a clinician for patients of his care teams, the privacy officer for any.

    Returns:
        What became of each, in the order of their jobs and places.

    Raises:
        AccessDeniedError: audited.
        DecisionError: `unknown-reason`, `no-such-patient`.
    """
    by.check(Act.ASSIGN)
    by.check_patient(Act.ASSIGN, patient_id)
    known_reason(why, WHY_ASSIGN)
    patient = Patient.objects.select_related("data_key").filter(id=patient_id).first()
    if patient is None:
        raise DecisionError("no-such-patient")
    rows = UnassignedItem.objects.filter(pk__in=list(items)).select_related("job__original")
    by_job: dict[int, list[UnassignedItem]] = defaultdict(list)
    for row in rows.order_by("job_id", "ordinal"):
        by_job[row.job_id].append(row)
    done: list[Done] = []
    for waiting in by_job.values():
        done += _assign_of_job(waiting, patient, why, by)
    backends().wake(INDEX_TASK, 0)
    return done


def _assign_of_job(rows: list[UnassignedItem], patient: Patient, why: str, by: Acting) -> list[Done]:
    try:
        found = items_at(rows[0].job, {row.ordinal for row in rows if row.resolved_at is None})
    except DecisionError as error:
        return [Done(row.pk, refused=error.reason) for row in rows]
    done = []
    # Who the person is comes first, as in every file, so that his record has a name when the rest goes in.
    for row in sorted(rows, key=lambda one: (one.resource_type != "Patient", one.ordinal)):
        try:
            effect = _assign_once_more(row, found.get(row.ordinal), patient, why, by)
        except DecisionError as error:
            done.append(Done(row.pk, refused=error.reason))
        except UnassignedError as error:
            done.append(Done(row.pk, refused=error.reason))
        else:
            done.append(Done(row.pk, effect=effect))
    return done


def _assign_once_more(row: UnassignedItem, item: object, patient: Patient, why: str, by: Acting) -> str:
    for _ in range(MOST_RETRIES):
        try:
            return _assign_one(row, item, patient, why, by)
        except IntegrityError:  # another writer was first with a version of the same resource
            continue
    raise DecisionError("busy")


def _assign_one(row: UnassignedItem, item: object, patient: Patient, why: str, by: Acting) -> str:
    if row.resolved_at is not None:
        if row.resolution == Resolution.ASSIGNED and row.patient_id == patient.id:
            return row.effect
        raise DecisionError("decided-already")
    if not isinstance(item, ResourceItem) or item.position[:64] != row.position or item.delete:
        # A merge and a deletion have nothing to store; a file read otherwise than then has to be taken in again.
        raise DecisionError("nothing-to-assign")
    now = by.clock()
    batch = _batch(row.job, replace(item, hold=""), patient)
    with transaction.atomic():
        decided = UnassignedItem.objects.filter(pk=row.pk, resolved_at=None).update(
            resolved_at=now,
            resolution=Resolution.ASSIGNED,
            resolved_by=by.user.get_username(),
            why=why,
            patient_id=patient.id,
        )
        if not decided:
            raise DecisionError("decided-already")
        try:
            tally = batch.write(now=now)
        except MergeError as error:
            raise DecisionError(error.reason) from None
        effect = next(name for name in _EFFECTS if getattr(tally, name))
        _move(row.job_id, source="unassigned", target=effect)
        UnassignedItem.objects.filter(pk=row.pk).update(effect=effect, version=_version(batch, effect))
        by.note(Act.ASSIGN, "SUCCESS", patient_id=patient.id, item=row.pk, job=row.job_id, effect=effect, reason=why)
    return effect


def _batch(job: IngestJob, item: ResourceItem, patient: Patient) -> PreparedBatch:
    """Prepare one item for a record that a person has named.

    Raises:
        UnassignedError: `patient-being-erased`, `patient-deleted`, `consent-withdrawn`, `belongs-to-another-patient`.
    """
    refuse_erased(patient)
    held = held_of([item])
    if held.owners.get(identity_of(item), patient.id) != patient.id:
        raise UnassignedError("belongs-to-another-patient")
    if item.resource_type != "Patient" and is_withdrawn(patient.id, item.server):
        raise UnassignedError("patient-deleted")
    resource: dict[str, Any] = decode_resource(item.content)
    if held.rules(patient).withhold(resource):
        raise UnassignedError(WITHDRAWN)
    prepared = prepare(
        Incoming(
            patient=patient,
            server=item.server,
            resource_type=item.resource_type,
            logical_id=item.resource_id,
            content=item.content,
            deleted=False,
            feed=job.feed,
            original_sha256=job.original_id,
            position=item.position[:64],
        ),
        cipher_of(patient),
        resource,
        related_to(resource, item.server, {}),
    )
    batch = PreparedBatch(FEED, held, versions=[prepared])
    if item.resource_type == "Patient":
        batch.demographics.append((patient, resource, prepared))
    return batch


def _version(batch: PreparedBatch, effect: str) -> ResourceVersion | None:
    """Return the row that the item became; None where it was held already."""
    if effect == "unchanged":
        return None
    incoming, order = batch.versions[0].incoming, batch.versions[0].order
    return (
        ResourceVersion.objects.filter(
            patient=incoming.patient,
            server=incoming.server,
            resource_type=incoming.resource_type,
            logical_id=incoming.logical_id,
            sha256=order.sha256,
        )
        .order_by("-number")
        .first()
    )


def _move(job_id: int, *, source: str, target: str) -> None:
    """Count one item of a job elsewhere; the sum stays."""
    moved = IngestJob.objects.filter(pk=job_id, **{f"{source}__gte": 1}).update(
        **{source: F(source) - 1, target: F(target) + 1}
    )
    if not moved:
        raise DecisionError("counts-do-not-hold")


def undo(item: int, *, why: str, by: Acting) -> None:
    """Take a wrongly assigned item out of the record again; it waits in the queue as before.

    Args:
        item: primary key of `UnassignedItem`.
        why: one of `WHY_UNDO`.
        by: who decides, as for `assign`.

    Raises:
        AccessDeniedError: audited.
        DecisionError: `unknown-reason`, `not-assigned`.
    """
    by.check(Act.UNDO)
    known_reason(why, WHY_UNDO)
    row = UnassignedItem.objects.filter(pk=item, resolution=Resolution.ASSIGNED).first()
    if row is None or row.patient_id is None:
        raise DecisionError("not-assigned")
    # After a merge the version stands in the survivor's record.
    owner = row.patient_id if row.version is None else row.version.patient_id or row.patient_id
    by.check_patient(Act.UNDO, owner)
    now = by.clock()
    with transaction.atomic():
        freed = UnassignedItem.objects.filter(pk=item, resolution=Resolution.ASSIGNED).update(
            resolved_at=None, resolution="", resolved_by="", why="", patient_id=None, effect="", version=None
        )
        if not freed:
            raise DecisionError("not-assigned")
        if row.version is not None:
            _take_out(row.version, why, by, now)
        _move(row.job_id, source=row.effect, target="unassigned")
        by.note(Act.UNDO, "SUCCESS", patient_id=owner, item=item, job=row.job_id, reason=why)
    backends().wake(INDEX_TASK, 0)


def _take_out(version: ResourceVersion, why: str, by: Acting, now: datetime) -> None:
    # After a restoration the same words stand in effect as a later version.
    in_effect = ResourceVersion.objects.filter(
        server=version.server,
        resource_type=version.resource_type,
        logical_id=version.logical_id,
        patient=version.patient,
        sha256=version.sha256,
        is_current=True,
    ).first()
    if in_effect is None:
        return
    instead = _before(version)
    related = {} if instead is None else related_to(resource_of(instead), instead.server, {})
    take_out(in_effect, instead=instead, related=related, reason=why, user_id=by.user.get_username(), now=now)


def _before(version: ResourceVersion) -> ResourceVersion | None:
    """Return the version that this one replaced in the same record, unless that one was taken out too."""
    earlier = (
        ResourceVersion.objects.filter(
            server=version.server,
            resource_type=version.resource_type,
            logical_id=version.logical_id,
            number__lt=version.number,
        )
        .order_by("-number")
        .first()
    )
    if earlier is None or earlier.deleted or earlier.patient_id != version.patient_id:
        return None
    waits = UnassignedItem.objects.filter(
        job__original_id=earlier.original_sha256, position=earlier.original_position, resolved_at=None
    )
    return None if waits.exists() else earlier
