"""Finds a held item again in the original it came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from django.conf import settings

from ingestion.erasure.files import ERASED
from ingestion.held.policy import DecisionError
from ingestion.originals import OriginalDamagedError, open_original
from ingestion.parsers.attached import with_words
from ingestion.parsers.registry import parse_stream
from ingestion.pipeline import FAULTS_OF_AN_ITEM
from ingestion.receive import context_of, name_of
from ingestion.steps.binaries import joined

if TYPE_CHECKING:
    from collections.abc import Collection

    from ingestion.domain.items import Item
    from ingestion.models import IngestJob

UNREADABLE = (KeyError, OSError, InvalidTag, OriginalDamagedError)


def items_at(job: IngestJob, ordinals: Collection[int]) -> dict[int, Item]:
    """Return the items that stand at these places of a job's file, read as the job reads it.

    Raises:
        DecisionError: `original-erased` or `original-unreadable`.
    """
    if job.original_id == ERASED:
        raise DecisionError("original-erased")
    found: dict[int, Item] = {}
    last = max(ordinals, default=-1)
    context = context_of(job, settings.INGESTION_LIMITS)
    try:
        with open_original(job.original) as file:
            items = joined(parse_stream(file, name_of(job), context), original=job.original_id)
            for number, item in enumerate(with_words(items, context)):
                if number in ordinals:
                    found[number] = item
                if number >= last:
                    break
    except (*UNREADABLE, *FAULTS_OF_AN_ITEM):
        raise DecisionError("original-unreadable") from None
    return found
