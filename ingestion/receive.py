"""The first half of every door: bytes on disk and a job row, then, and only then, an acknowledgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from django.db import transaction

from clinical.keys import site_cipher
from clinical.ports import backends
from ingestion.models import IngestJob
from ingestion.originals import keep

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.domain.items import ParseContext

INGEST_TASK = "ingestion.ingest"


def receive(
    file: BinaryIO, *, name: str, feed: str, context: ParseContext, now: datetime, wake: bool = True
) -> IngestJob:
    """Keep a file and write its job; durable when this returns.

    Args:
        file: seekable, opened for reading bytes.
        name: the file's name for the operator; kept encrypted, since names of files name patients.
        feed: which source it came by.
        context: what the caller says about the file.
        now: timezone-aware.
        wake: tell the workers; off when the caller works the job through itself.
    """
    original = keep(file, now=now)
    with transaction.atomic():
        job = IngestJob.objects.create(
            original=original,
            name=sealed_name(name, original.sha256),
            feed=feed,
            context={"patient": context.patient_reference, "guideline": context.guideline},
            created_at=now,
        )
        if wake:
            transaction.on_commit(lambda: backends().wake(INGEST_TASK, job.pk))
    return job


def sealed_name(name: str, sha256: str) -> bytes:
    """Return a file's name as its job keeps it. A name on disk need not be text; what is not becomes "?"."""
    return site_cipher().encrypt(name.encode(errors="replace"), binding=f"job name {sha256}")


def name_of(job: IngestJob) -> str:
    """Return the name the file came with."""
    return site_cipher().decrypt(job.name, binding=f"job name {job.original_id}").decode()
