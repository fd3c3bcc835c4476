"""Many small jobs with one commit: what a worker does when messages wait.

A message of one result costs a few milliseconds to read and to seal, and much more to commit. So jobs that wait are
leased, read, prepared and written in groups. Nothing of the ledger changes by it: each job has its own counts, cursor
and end, all in the transaction of its effects, and a worker that is killed loses and doubles nothing.

A group holds only what is the same whether it is written one by one or together. Whatever else there is (a merge, a
deletion, a document to be read, a person described in two ways) ends the group before it, and goes by itself. When
anything of a group cannot be written, each of its jobs goes by itself.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, transaction
from django.db.models import F, Q

from clinical.identity.at_once import known_at_once
from clinical.identity.services import identifier_pairs
from clinical.record.incoming import decode_resource
from ingestion import pipeline
from ingestion.domain.documents.attachments import may_hold_documents
from ingestion.domain.documents.binaries import names_binary
from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.job_states import OPEN, JobState
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.originals import INLINE_BYTES
from ingestion.receive import context_of
from ingestion.steps.ahead import ask_ahead
from ingestion.steps.held_back import resolve_earlier
from ingestion.steps.merges import MergeError
from ingestion.steps.owner import held_of
from ingestion.steps.same_file import SameFile
from ingestion.steps.take_in import take_in, write_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from ingestion.domain.items import Item
    from ingestion.steps.take_in import PreparedBatch, Tally

MOST_JOBS: Final = 48
MOST_ITEMS: Final = 200
LONGEST_S: Final = 0.3
"""Seconds of processor time for reading a group; one that would take longer is cut."""
_ALONE: Final = frozenset({"Binary", "Consent", "Medication"})
"""What decides over other items of the same group, which look for it in the record."""
_DESCRIPTION: Final = ("name", "gender", "birthDate")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Group:
    """Jobs that go together, each with its items, and how each identifier's person is described in them."""

    jobs: list[tuple[IngestJob, list[Item]]] = field(default_factory=list)
    described: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)
    people: list[list[tuple[str, str]]] = field(default_factory=list)
    """The identifiers of each person described, but for those whose messages wait for a person anyway."""

    @property
    def items(self) -> int:
        """How many items it holds."""
        return sum(len(items) for _, items in self.jobs)

    def takes(self, job: IngestJob, items: list[Item]) -> bool:
        """Add a job unless it has to go by itself; returns whether it was added."""
        if len(items) > MOST_ITEMS or not all(_is_plain(item) for item in items):
            return False
        described: dict[tuple[str, str], tuple[object, ...]] = {}
        people = []
        for item in items:
            if isinstance(item, ResourceItem) and item.resource_type == "Patient":
                resource: dict[str, Any] = decode_resource(item.content)
                said = tuple(resource.get(name) for name in _DESCRIPTION)
                pairs = identifier_pairs(resource, item.server)
                described |= dict.fromkeys(pairs, said)
                people += [] if item.hold else [pairs]
        if any(self.described.get(pair, said) != said for pair, said in described.items()):
            return False
        self.described |= described
        self.people += people
        self.jobs.append((job, items))
        return True


def run_together(job_ids: Sequence[int], *, limits: pipeline.Limits, clock: Callable[[], datetime]) -> list[int]:
    """Work the first of these jobs through together.

    Args:
        job_ids: due, the oldest first.
        limits: largest resource and largest file, in bytes.
        clock: timezone-aware.

    Returns:
        Those that have to be worked through one by one before any behind them is; of the others the first are done.
    """
    jobs = _lease(job_ids[:MOST_JOBS], now=clock())
    if not jobs:
        return list(job_ids[:1])
    group, alone = _Group(), []
    try:
        alone = _read(jobs, group, limits)
        if group.jobs:
            _commit(group, now=clock())
    except (*pipeline.FAULTS_OF_AN_ITEM, MergeError, pipeline.LeaseLostError) as error:
        # Each by itself: the one at fault is found and quarantined, the others go in. These attempts count.
        logger.warning("%d jobs go one by one (%s)", len(group.jobs), type(error).__name__)
        _free([job for job, _ in group.jobs])
        alone = [job.pk for job, _ in group.jobs] + alone
        group.jobs.clear()
    except (Error, OSError):  # a full disk, a lost database: nobody's fault among these
        with suppress(Error):
            _put_back(jobs)
        raise
    taken = {job.pk for job, _ in group.jobs} | set(alone)
    _put_back([job for job in jobs if job.pk not in taken])
    _free([job for job in jobs if job.pk in set(alone)])
    return alone


def _lease(job_ids: Sequence[int], *, now: datetime) -> list[IngestJob]:
    """Lease the small jobs at the head of the line that nobody has tried yet, with one commit."""
    waiting = Q(lease_until=None) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = (
            IngestJob.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(waiting, pk__in=job_ids, state__in=OPEN)
            .select_related("original")
            .order_by("pk")
        )
        fresh = list(takewhile(_is_small_and_new, rows))
        IngestJob.objects.filter(pk__in=[job.pk for job in fresh]).update(
            state=JobState.RUNNING, lease_until=now + pipeline.lease_time(), attempts=F("attempts") + 1
        )
    for job in fresh:
        job.attempts += 1
    return fresh


def _is_small_and_new(job: IngestJob) -> bool:
    return job.attempts == 0 and job.cursor == 0 and job.original.size <= INLINE_BYTES


def _is_plain(item: Item) -> bool:
    match item:
        case RejectedItem():
            return True
        case ResourceItem():
            if item.delete or item.resource_type in _ALONE:
                return False
            return not (may_hold_documents(item.resource_type, item.content) or names_binary(item))
    return False


def _read(jobs: Sequence[IngestJob], group: _Group, limits: pipeline.Limits) -> list[int]:
    """Fill the group up to the first job that has to go by itself, and return that one's id, if there is one."""
    limit = process_time() + LONGEST_S
    for job in jobs:
        items = list(islice(pipeline.items_of(job, context_of(job, limits)), MOST_ITEMS + 1))
        if group.jobs and group.items + len(items) > MOST_ITEMS:
            break
        if not group.takes(job, items):
            return [] if group.jobs else [job.pk]
        if process_time() > limit:
            break
    return []


def _commit(group: _Group, *, now: datetime) -> None:
    """Prepare and write a group.

    Raises:
        LeaseLostError: one of them was taken over, or its file was erased meanwhile; nothing is written.
    """
    _still_held(group)
    resources = [item for _, items in group.jobs for item in items if isinstance(item, ResourceItem)]
    held = held_of(resources)
    batches: list[PreparedBatch] = []
    with known_at_once((), group.people) as people:
        ask_ahead(held, people, {item.server for item in resources})
        for job, items in group.jobs:
            # The ids of a file may be its own: whom they mean is asked for anew.
            held.file, held.patients = SameFile(partial(iter, items)), {}
            batches.append(take_in(job, 0, items, now=now, file=held.file, held=held))
    with transaction.atomic():
        tallies = write_batches(batches, now=now)
        for (job, _), tally in zip(group.jobs, tallies, strict=True):
            _finish(job, tally, now=now)
        _resolve_earlier(group, now=now)


def _still_held(group: _Group) -> None:
    if _ours([job for job, _ in group.jobs]).count() != len(group.jobs):
        raise pipeline.LeaseLostError


def _finish(job: IngestJob, tally: Tally, *, now: datetime) -> None:
    done = IngestJob.objects.filter(pk=job.pk, cursor=0, attempts=job.attempts, state=JobState.RUNNING).update(
        cursor=tally.received,
        received=tally.received,
        stored=tally.stored,
        unchanged=tally.unchanged,
        superseded=tally.superseded,
        unassigned=tally.unassigned,
        quarantined=tally.quarantined,
        state=JobState.DONE,
        finished_at=now,
        lease_until=None,
    )
    if not done:
        raise pipeline.LeaseLostError


def _resolve_earlier(group: _Group, *, now: datetime) -> None:
    """Close what earlier jobs over the same originals held back; most messages have none, and that is asked once."""
    originals = [job.original_id for job, _ in group.jobs]
    for table in (QuarantinedItem, UnassignedItem):
        rows = table.objects.filter(job__original_id__in=originals, resolved_at=None)
        held = set(rows.values_list("job__original_id", flat=True))
        for job, _ in group.jobs:
            if job.original_id in held:
                resolve_earlier(job, now=now)


def _free(jobs: Sequence[IngestJob]) -> None:
    """Give leases up; the attempt stays counted."""
    if jobs:
        _ours(jobs).update(lease_until=None)


def _put_back(jobs: Sequence[IngestJob]) -> None:
    """Give up the leases of jobs that were not looked at, as if they had never been taken."""
    if jobs:
        _ours(jobs).update(state=JobState.RECEIVED, lease_until=None, attempts=F("attempts") - 1)


def _ours(jobs: Sequence[IngestJob]) -> QuerySet[IngestJob]:
    """Return those that this worker still has: it leased each when nobody had tried it."""
    ids = [job.pk for job in jobs]
    return IngestJob.objects.filter(pk__in=ids, attempts=1, cursor=0, state=JobState.RUNNING)
