"""Celery tasks: each takes a row id, looks at the ledger and does what is due."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings
from django.db import Error
from django.utils import timezone

from clinical.audit.unfinished import close_unfinished
from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError, backends
from clinical.record.index_changes import apply_due, retry_failed
from clinical.record.index_check import notice_losses
from ingestion import pipeline
from ingestion.alarms import alarms
from ingestion.receive import DRAIN_TASK, INGEST_TASK
from ingestion.steps.consents import follow_the_clock
from ingestion.subscriptions.catch_up import catch_up_all, servers_to_rest
from ingestion.together import run_together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

logger = logging.getLogger(__name__)

SETTLING = timedelta(seconds=5)
LOOK_EVERY_S = 30.0
DRAIN_S = 1.0
# A full disk, a lost database: it passes, and what is due stays due.
CANNOT_WRITE = (Error, OSError)
_looked_at = -LOOK_EVERY_S  # by this process's clock
_standing: set[tuple[str, str]] = set()
_consents_until: datetime | None = None


@contextmanager
def _if_it_can_be_written(what: str) -> Iterator[None]:
    """End a task quietly that a full disk or a lost database stops: what is due stays due, and the sweeper comes."""
    try:
        yield
    except CANNOT_WRITE as error:
        logger.error("%s has to wait (%s)", what, type(error).__name__)  # noqa: TRY400 - its text may quote


@shared_task(name=INGEST_TASK)
def ingest(*, row_id: int) -> None:
    """Work one job through, unless somebody has it already."""
    with _if_it_can_be_written(f"job {row_id}"):
        _run(row_id)
        backends().wake(pipeline.INDEX_TASK, 0)


@shared_task(name=DRAIN_TASK)
def drain(*, row_id: int = 0) -> None:
    """Work through jobs that wait, oldest first, for a second; then let other tasks go between and come again.

    Each time some of what the index is due is applied too: under a load that lasts, it follows all the same.
    """
    with _if_it_can_be_written("the ledger"):
        waiting = pipeline.due(timezone.now())
        if not waiting:
            return
        limit = monotonic() + DRAIN_S
        while waiting and monotonic() < limit:
            for job_id in run_together(waiting, limits=settings.INGESTION_LIMITS, clock=timezone.now):
                _run(job_id)
            waiting = pipeline.due(timezone.now())
        _index_some()
        backends().wake(pipeline.INDEX_TASK, 0)
        backends().wake(DRAIN_TASK, 0)


def _run(job_id: int) -> None:
    try:
        pipeline.run(job_id, limits=settings.INGESTION_LIMITS, clock=timezone.now, wake=False)
    except (pipeline.NotDueError, pipeline.LeaseLostError):
        logger.info("job %d is not due here", job_id)
    except CANNOT_WRITE:
        raise
    except Exception as error:  # it waits for its lease; those behind it do not
        logger.error("job %d was not worked through (%s)", job_id, type(error).__name__)  # noqa: TRY400 - as above


def _index_some() -> int:
    try:
        return apply_due(now=timezone.now())
    except BackendUnavailableError as error:
        logger.warning("index waits: %s", error)
        return 0


@shared_task(name=pipeline.INDEX_TASK)
def index(*, row_id: int = 0) -> None:
    """Apply index changes until none is due."""
    with _if_it_can_be_written("the index"):
        while _index_some():
            pass


@shared_task(name="ingestion.sweep")
def sweep() -> None:
    """Send again what the ledger says is due and the queue has forgotten; now and then look for losses."""
    with _if_it_can_be_written("the sweeper"):
        now = timezone.now()
        if pipeline.due(now - SETTLING):
            backends().wake(DRAIN_TASK, 0)
        if _time_to_look():
            retry_failed()
            look_for_losses(now=now)
            if again := pipeline.reopen(now=now):
                logger.warning("%d jobs that were given up are tried once more", len(again))
        if IndexChange.objects.filter(created_at__lt=now - SETTLING).exists():
            backends().wake(pipeline.INDEX_TASK, 0)


@shared_task(name="ingestion.catch_up")
def catch_up() -> None:
    """Fetch from the site's EHR what notifications only named, and the events that did not come."""
    with _if_it_can_be_written("the catch-up"):
        for name, told in catch_up_all(clock=timezone.now, leave_out=servers_to_rest()).items():
            logger.info("subscription %s: %s", name, told)


@shared_task(name="ingestion.look_out")
def look_out() -> None:
    """Write into the log which alarms have begun and which are over; the pages and /readyz ask for themselves."""
    with _if_it_can_be_written("the look-out"):
        standing = {(one.code, one.about) for one in alarms(now=timezone.now())}
        for key in sorted(standing - _standing):
            logger.warning("alarm: %s %s", *key)
        for key in sorted(_standing - standing):
            logger.warning("alarm over: %s %s", *key)
        _standing.clear()
        _standing.update(standing)


def _follow_consents(*, now: datetime) -> None:
    """Let Consents begin and end by the clock: since the last look, or ever when this worker has just begun."""
    global _consents_until
    if follow_the_clock(since=_consents_until, now=now):
        backends().wake(pipeline.INDEX_TASK, 0)
    _consents_until = now


def look_for_losses(*, now: datetime) -> None:
    """Write again what the index lost, and end the questions whose process is gone."""
    try:
        lost = notice_losses(now=now)
    except BackendUnavailableError:
        lost = 0  # the index task says so
    if lost:
        logger.warning("the index differs from the record in %d passages; they are written again", lost)
        backends().wake(pipeline.INDEX_TASK, 0)
    if closed := close_unfinished(now=now):
        logger.warning("%d questions had no end in the trail; closed as interrupted", closed)


def _time_to_look() -> bool:
    global _looked_at
    if monotonic() - _looked_at < LOOK_EVERY_S:
        return False
    _looked_at = monotonic()
    return True
