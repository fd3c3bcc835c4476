"""The second half of every door: one job, from the kept bytes to versions, held items and counts.

Items are taken in file order, in batches of one short transaction each. The job's cursor and counts
move in the same transaction as the items' effects, so that a killed worker loses and doubles nothing. An
item that cannot be written is quarantined on its own: it holds up neither its batch nor its file.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec
from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db.models import F, Q
from django.utils.module_loading import import_string

from clinical.ports import backends
from ingestion.domain.items import RejectedItem
from ingestion.domain.job_states import OPEN, JobState, advance
from ingestion.models import IngestJob, UnassignedItem
from ingestion.originals import OriginalDamagedError, open_original
from ingestion.parsers.attached import with_words
from ingestion.parsers.registry import parse_stream
from ingestion.receive import context_of, name_of
from ingestion.steps.binaries import joined
from ingestion.steps.held_back import resolve_earlier
from ingestion.steps.merges import MergeError
from ingestion.steps.owner import ANOTHERS
from ingestion.steps.same_file import SameFile
from ingestion.steps.take_in import Tally, take_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from ingestion.domain.items import Item, ParseContext

logger = logging.getLogger(__name__)

BATCH_ITEMS: Final = 60
BUSY_ITEMS: Final = 12
MOST_ATTEMPTS: Final = 20
MOST_RETRIES: Final = 5
INDEX_TASK: Final = "ingestion.index"
TOO_MANY: Final = "too-many-attempts"
TRIED_AGAIN: Final = "tried-again"
FHIR_FEED: Final = "fhir:"
DOORS_OWN: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(days=1)
Limits = tuple[int, int]
# What one item's content can cause. A full disk, a locked database or a wrong key are not among them:
# those end the attempt, and the job stays due.
FAULTS_OF_AN_ITEM: Final = (
    ArithmeticError,
    AttributeError,
    DataError,
    IntegrityError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)


class NotDueError(Exception):
    """Another worker has the job, or it is finished."""


class LeaseLostError(Exception):
    """Another worker took the job over after this one's lease ran out."""


def run(job_id: int, *, limits: Limits, clock: Callable[[], datetime], wake: bool = True) -> IngestJob:
    """Take up a job and bring it to its end.

    Args:
        job_id: the ledger row.
        limits: largest resource and largest file, in bytes.
        clock: timezone-aware.
        wake: tell the workers that the index has changes due; without it the sweeper finds them.

    Raises:
        NotDueError: nothing to do.
        LeaseLostError: the job was taken over.
    """
    job = _lease(job_id, now=clock())
    context = replace(context_of(job, limits), still_working=lambda: _renew(job, now=clock()))
    whole = joined(items_of(job, context), original=job.original_id)
    items, file = with_words(whole, context), _same_file(job, context)
    position = sum(1 for _ in islice(items, job.cursor))
    rest: Callable[[], float] = import_string(settings.INGESTION_REST)
    size = BATCH_ITEMS
    while batch := list(islice(items, size)):
        _commit(job, position, batch, file, now=clock())
        position += len(batch)
        size = BUSY_ITEMS if rest() else BATCH_ITEMS  # while others need the machine, they wait for less
    advance(JobState.RUNNING, JobState.DONE)
    with transaction.atomic():
        finished = IngestJob.objects.filter(pk=job.pk, attempts=job.attempts).update(
            state=JobState.DONE, finished_at=clock(), lease_until=None
        )
        if finished:
            resolve_earlier(job, now=clock())
    if wake:
        backends().wake(INDEX_TASK, 0)
    job.refresh_from_db()
    return job


def _same_file(job: IngestJob, context: ParseContext) -> SameFile:
    def waiting() -> set[int]:
        rows = UnassignedItem.objects.filter(job=job, resource_type="Patient", ordinal__lt=job.cursor)
        return set(rows.exclude(reason=ANOTHERS).values_list("ordinal", flat=True))

    return SameFile(
        lambda: items_of(job, context),
        opened=lambda: open_original(job.original),
        waiting=waiting if job.cursor else set,
    )


def due(now: datetime) -> list[int]:
    """Return the jobs nobody works on: received, or running with a lease that ran out; at most 200, oldest first.

    A small request of the FHIR door is worked through by the door itself, in one piece, before its sender is answered;
    for two seconds nobody else takes it up.
    """
    waiting = Q(lease_until=None) | Q(lease_until__lt=now)
    the_doors = Q(feed__startswith=FHIR_FEED, attempts=0, created_at__gt=now - DOORS_OWN)
    rows = IngestJob.objects.filter(waiting, state__in=OPEN).exclude(the_doors)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:200])


def lease_time() -> timedelta:
    """Return how long a worker may be silent before its job is taken up again."""
    return timedelta(seconds=settings.INGESTION_LEASE_S)


def _lease(job_id: int, *, now: datetime) -> IngestJob:
    waiting = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = IngestJob.objects.filter(waiting, pk=job_id, state__in=OPEN).update(
        state=JobState.RUNNING, lease_until=now + lease_time(), attempts=F("attempts") + 1
    )
    if not taken:
        raise NotDueError
    job = IngestJob.objects.select_related("original").get(pk=job_id)
    if job.attempts > MOST_ATTEMPTS and job.error != TRIED_AGAIN:
        IngestJob.objects.filter(pk=job_id).update(
            state=JobState.FAILED, error=TOO_MANY, lease_until=None, finished_at=now
        )
        logger.error("job %d failed after %d attempts", job_id, job.attempts - 1)
        raise NotDueError
    if job.error == TRIED_AGAIN:  # this one attempt, and no other
        IngestJob.objects.filter(pk=job_id, attempts=job.attempts).update(error="")
        job.error = ""
    return job


def reopen(*, now: datetime, at_once: bool = False) -> list[int]:
    """Let jobs be tried once more that were given up; what has been acknowledged is never given up for good.

    The first pause is ten leases, each further one is twice as long, up to a day: a full disk is over at some
    time, and a file that kills its worker kills it seldom.

    Args:
        now: timezone-aware.
        at_once: whatever their pause (an operator says that the cause is gone).

    Returns:
        Their ids.
    """
    failed = IngestJob.objects.filter(state=JobState.FAILED, error=TOO_MANY)
    found = [
        pk
        for pk, attempts, since in failed.values_list("pk", "attempts", "finished_at")
        if at_once or since is None or now - since >= _pause_after(attempts)
    ]
    advance(JobState.FAILED, JobState.RUNNING)
    failed.filter(pk__in=found).update(state=JobState.RUNNING, error=TRIED_AGAIN, lease_until=None, finished_at=None)
    return found


def _pause_after(attempts: int) -> timedelta:
    """Return how long a job waits that was given up after so many attempts."""
    rounds = max(0, attempts - MOST_ATTEMPTS - 1) // 2  # an attempt, and the look that found it failed again
    return min(timedelta(seconds=settings.INGESTION_LEASE_S * 10 * 2.0 ** min(rounds, 20)), LONGEST_PAUSE)


def _renew(job: IngestJob, *, now: datetime) -> None:
    """Hold on to a job while one of its documents takes long.

    Raises:
        LeaseLostError: the job was taken over.
    """
    held = IngestJob.objects.filter(pk=job.pk, attempts=job.attempts).update(lease_until=now + lease_time())
    if not held:
        raise LeaseLostError


def items_of(job: IngestJob, context: ParseContext) -> Iterator[Item]:
    """Yield the items of the job's file; where the reading breaks off, a rejected item says so."""
    number = 0
    try:
        with open_original(job.original) as file:
            for item in parse_stream(file, name_of(job), context):
                yield item
                number += 1
    except (OriginalDamagedError, *FAULTS_OF_AN_ITEM) as error:
        reason = "original-damaged" if isinstance(error, OriginalDamagedError) else "reading-failed"
        logger.error("job %d: %s after %d items (%s)", job.pk, reason, number, type(error).__name__)  # noqa: TRY400 - its text may quote the file
        yield RejectedItem(f"after {number} items", reason, type(error).__name__)


def _commit(job: IngestJob, position: int, batch: list[Item], file: SameFile, *, now: datetime) -> None:
    """Write one batch with its counts; when an item's own content prevents that, one by one without it."""
    try:
        _commit_together(job, position, batch, file, now=now)
    except FAULTS_OF_AN_ITEM as error:
        if len(batch) > 1:
            for ordinal, item in enumerate(batch, start=position):
                _commit(job, ordinal, [item], file, now=now)
            return
        item = batch[0]
        if isinstance(item, RejectedItem):
            raise
        fault = type(error).__name__
        logger.error("job %d: item %d cannot be stored (%s)", job.pk, position, fault)  # noqa: TRY400 - as above
        _commit_together(job, position, [RejectedItem(item.position, "cannot-be-stored", fault)], file, now=now)


def _commit_together(job: IngestJob, position: int, batch: list[Item], file: SameFile, *, now: datetime) -> None:
    """Write one batch with its counts; once more when another writer was first."""
    for attempt in range(MOST_RETRIES):
        if not IngestJob.objects.filter(pk=job.pk, attempts=job.attempts).exists():
            raise LeaseLostError  # before anybody is registered: the file may have been erased meanwhile
        try:
            prepared = take_in(job, position, batch, now=now, file=file)
            with transaction.atomic():
                tally = prepared.write(now=now)
                _count(job, position, tally, now=now)
        except (IntegrityError, MergeError):
            if attempt == MOST_RETRIES - 1:
                raise
        else:
            return


def _count(job: IngestJob, position: int, tally: Tally, *, now: datetime) -> None:
    moved = IngestJob.objects.filter(pk=job.pk, cursor=position, attempts=job.attempts).update(
        cursor=position + tally.received,
        received=F("received") + tally.received,
        stored=F("stored") + tally.stored,
        unchanged=F("unchanged") + tally.unchanged,
        superseded=F("superseded") + tally.superseded,
        unassigned=F("unassigned") + tally.unassigned,
        quarantined=F("quarantined") + tally.quarantined,
        lease_until=now + lease_time(),
    )
    if not moved:
        raise LeaseLostError
