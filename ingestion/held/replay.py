"""Held items once more: their originals taken in again, a corrected text in an item's place, or left out for good."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from clinical.ports import backends
from ingestion.domain.items import RejectedItem
from ingestion.erasure.files import ERASED
from ingestion.held.assign import FEED
from ingestion.held.policy import WHY_DISMISS, Act, Acting, DecisionError, known_reason
from ingestion.models import IngestJob, QuarantinedItem, Resolution, UnassignedItem
from ingestion.parsers.attached import with_words
from ingestion.parsers.registry import parse_bytes
from ingestion.pipeline import FAULTS_OF_AN_ITEM
from ingestion.receive import INGEST_TASK, context_of, receive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

LONGEST_CORRECTION: Final = 4 * 2**20
"""Bytes of a corrected text that a person may give."""
_OPEN: Final = (IngestJob.State.RECEIVED, IngestJob.State.RUNNING)


def replay(
    quarantined: QuerySet[QuarantinedItem], unassigned: QuerySet[UnassignedItem], *, by: Acting
) -> list[IngestJob]:
    """Take the originals of held items in again, after a parser, a table or a list of authorities was mended.

    Each original has one new job, which reads the whole file: what is held already is unchanged, and what was
    held back is stored or held back anew by the new job, with its own counts. The caller works the jobs through, or
    wakes the workers by `wake`. An original of which a replay is still open has none more.

    Args:
        quarantined: items to look at again; resolved ones do not count.
        unassigned: likewise.
        by: the operator or the privacy officer.

    Raises:
        AccessDeniedError: audited.
    """
    by.check(Act.REPLAY)
    chosen = {
        job
        for rows in (quarantined, unassigned)
        for job in rows.filter(resolved_at=None).values_list("job_id", flat=True)
    }
    newest: dict[str, IngestJob] = {
        job.original_id: job for job in IngestJob.objects.filter(pk__in=chosen).order_by("pk")
    }
    jobs = []
    for original, job in sorted(newest.items(), key=lambda pair: pair[1].pk):
        if original == ERASED or IngestJob.objects.filter(original_id=original, state__in=_OPEN).exists():
            continue
        with transaction.atomic():
            again = IngestJob.objects.create(
                original_id=original,
                name=job.name,
                feed=FEED,
                context=job.context | {"replay_of": job.pk},
                created_at=by.clock(),
            )
            by.note(Act.REPLAY, "SUCCESS", job=job.pk, replayed_as=again.pk)
        jobs.append(again)
    return jobs


def wake(jobs: Sequence[IngestJob]) -> None:
    """Tell the workers of new jobs."""
    for job in jobs:
        backends().wake(INGEST_TASK, job.pk)


def correct(item: int, content: bytes, *, by: Acting) -> IngestJob:
    """Take in a corrected text in place of a quarantined item; the original and its counts stay as they are.

    The text is an original of its own, whose job says by whom it was corrected and for which item. Nothing is kept
    of a text that would be quarantined too.

    Args:
        item: primary key of `QuarantinedItem`.
        content: a FHIR R4 resource or Bundle, or any other format that is taken in.
        by: the operator or the privacy officer.

    Returns:
        The new job, received; the caller works it through, or wakes the workers by `wake`.

    Raises:
        AccessDeniedError: audited.
        DecisionError: `decided-already`, `too-large`, or why the text would be refused.
    """
    by.check(Act.CORRECT)
    row = QuarantinedItem.objects.filter(pk=item, resolved_at=None).select_related("job").first()
    if row is None:
        raise DecisionError("decided-already")
    if len(content) > LONGEST_CORRECTION:
        raise DecisionError("too-large")
    # The entries that a door refused were of the text as it came.
    context = replace(context_of(row.job, settings.INGESTION_LIMITS), refused={})
    try:
        items = with_words(parse_bytes(content, context), context)
        refused = next((one.reason for one in items if isinstance(one, RejectedItem)), "")
    except FAULTS_OF_AN_ITEM:
        refused = "reading-failed"
    if refused:
        raise DecisionError(refused)
    with transaction.atomic():
        job = receive(
            io.BytesIO(content), name=f"corrected-{row.pk}", feed=FEED, context=context, now=by.clock(),
            wake=False,
        )  # fmt: skip
        job.context |= {"corrected_by": by.user.get_username(), "corrects": row.pk}
        job.save(update_fields=["context"])
        decided = QuarantinedItem.objects.filter(pk=item, resolved_at=None).update(
            resolved_at=by.clock(),
            resolution=Resolution.REPLACED,
            resolved_by=by.user.get_username(),
            replaced_by=job,
        )
        if not decided:
            raise DecisionError("decided-already")
        by.note(Act.CORRECT, "SUCCESS", item=item, job=row.job_id, corrected_as=job.pk)
    return job


def dismiss(kind: type[QuarantinedItem] | type[UnassignedItem], items: Sequence[int], *, why: str, by: Acting) -> int:
    """Leave items out of every record for good; their jobs count them where they were, and they are listed.

    Args:
        kind: the table.
        items: primary keys in it.
        why: one of `WHY_DISMISS`.
        by: the operator or the privacy officer.

    Returns:
        How many were dismissed; those decided before are not.

    Raises:
        AccessDeniedError: audited.
        DecisionError: `unknown-reason`.
    """
    by.check(Act.DISMISS)
    known_reason(why, WHY_DISMISS)
    now = by.clock()
    with transaction.atomic():
        waiting = list(kind.objects.filter(pk__in=items, resolved_at=None).values_list("pk", flat=True))
        done = kind.objects.filter(pk__in=waiting, resolved_at=None).update(
            resolved_at=now, resolution=Resolution.DISMISSED, resolved_by=by.user.get_username(), why=why
        )
        if done:
            queue = "quarantine" if kind is QuarantinedItem else "unassigned"
            by.note(Act.DISMISS, "SUCCESS", queue=queue, items=waiting[:200], count=done, reason=why)
    return done


def take_back(kind: type[QuarantinedItem] | type[UnassignedItem], item: int, *, by: Acting) -> None:
    """Let a dismissed item wait again.

    Raises:
        AccessDeniedError: audited.
        DecisionError: `not-dismissed`.
    """
    by.check(Act.DISMISS)
    with transaction.atomic():
        back = kind.objects.filter(pk=item, resolution=Resolution.DISMISSED).update(
            resolved_at=None, resolution="", resolved_by="", why=""
        )
        if not back:
            raise DecisionError("not-dismissed")
        by.note(Act.DISMISS, "REVERSED", item=item)
