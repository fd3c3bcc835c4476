"""Celery tasks: each takes a row id, looks at the ledger and does what is due."""

from __future__ import annotations

import logging
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from clinical.audit.unfinished import close_unfinished
from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError, backends
from clinical.record.index_changes import apply_due, retry_failed
from clinical.record.index_check import notice_losses
from ingestion import pipeline
from ingestion.receive import DRAIN_TASK, INGEST_TASK

if TYPE_CHECKING:
    from datetime import datetime

logger = logging.getLogger(__name__)

SETTLING = timedelta(seconds=5)
LOOK_EVERY_S = 30.0
DRAIN_S = 1.0
_looked_at = -LOOK_EVERY_S  # by this process's clock


@shared_task(name=INGEST_TASK)
def ingest(*, row_id: int) -> None:
    """Work one job through, unless somebody has it already."""
    try:
        pipeline.run(row_id, limits=settings.INGESTION_LIMITS, clock=timezone.now)
    except (pipeline.NotDueError, pipeline.LeaseLostError):
        logger.info("job %d is not due here", row_id)


@shared_task(name=DRAIN_TASK)
def drain(*, row_id: int = 0) -> None:
    """Work through jobs that wait, oldest first, for a second; then let other tasks go between and come again."""
    limit = monotonic() + DRAIN_S
    waiting = pipeline.due(timezone.now())
    if not waiting:
        return
    try:
        for job_id in waiting:
            try:
                pipeline.run(job_id, limits=settings.INGESTION_LIMITS, clock=timezone.now, wake=False)
            except (pipeline.NotDueError, pipeline.LeaseLostError):
                logger.info("job %d is not due here", job_id)
            if monotonic() > limit:
                break
    finally:  # a job that cannot be worked through waits for its lease; those behind it do not
        backends().wake(pipeline.INDEX_TASK, 0)
        backends().wake(DRAIN_TASK, 0)


@shared_task(name=pipeline.INDEX_TASK)
def index(*, row_id: int = 0) -> None:
    """Apply index changes until none is due."""
    try:
        while apply_due(now=timezone.now()):
            pass
    except BackendUnavailableError as error:
        logger.warning("index waits: %s", error)


@shared_task(name="ingestion.sweep")
def sweep() -> None:
    """Send again what the ledger says is due and the queue has forgotten; now and then look for losses."""
    now = timezone.now()
    for job_id in pipeline.due(now - SETTLING):
        backends().wake(INGEST_TASK, job_id)
    if _time_to_look():
        retry_failed()
        look_for_losses(now=now)
    if IndexChange.objects.filter(created_at__lt=now - SETTLING).exists():
        backends().wake(pipeline.INDEX_TASK, 0)


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
