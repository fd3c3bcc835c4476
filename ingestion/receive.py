"""The first half of every door: bytes on disk and a job row, then, and only then, an acknowledgement."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings
from django.db import transaction

from clinical.keys import site_cipher
from clinical.ports import backends
from ingestion.domain.items import ParseContext
from ingestion.models import IngestJob, Original
from ingestion.originals import keep, sealed_row
from ingestion.rhythm import heard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

INGEST_TASK = "ingestion.ingest"
DRAIN_TASK = "ingestion.drain"


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
            context=kept_context(context),
            created_at=now,
        )
        if wake:
            transaction.on_commit(lambda: backends().wake(INGEST_TASK, job.pk))
    return job


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message on its way in. `original` is the row of one that was too large to be written with others."""

    content: bytes
    name: str
    feed: str
    original: Original | None = None


def receive_many(arrivals: Sequence[Arrival], *, now: datetime) -> list[int]:
    """Write messages and their jobs in one transaction; durable when this returns. The caller wakes the workers.

    Args:
        arrivals: each at most `originals.INLINE_BYTES` long, or with its original kept already.
        now: timezone-aware.

    Returns:
        The jobs' ids, in the order given.

    Raises:
        django.db.Error: none of them is kept.
    """
    digests = [
        hashlib.sha256(one.content).hexdigest() if one.original is None else one.original.sha256 for one in arrivals
    ]
    cipher = site_cipher()
    with transaction.atomic():
        held = set(Original.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
        fresh = {
            sha256: arrival
            for sha256, arrival in zip(digests, arrivals, strict=True)
            if sha256 not in held and arrival.original is None
        }
        Original.objects.bulk_create(
            [sealed_row(arrival.content, now=now) for arrival in fresh.values()],
            ignore_conflicts=True,  # another process may keep the same bytes just now, under its own key
        )
        jobs = IngestJob.objects.bulk_create(
            [
                IngestJob(
                    original_id=sha256,
                    name=cipher.encrypt(arrival.name.encode(errors="replace"), binding=_name_binding(sha256)),
                    feed=arrival.feed,
                    context={"patient": "", "guideline": None},
                    created_at=now,
                )
                for sha256, arrival in zip(digests, arrivals, strict=True)
            ]
        )
        heard({arrival.feed for arrival in arrivals}, now=now)
    return [job.pk for job in jobs]


def _name_binding(sha256: str) -> str:
    return f"job name {sha256}"


def kept_context(context: ParseContext) -> dict[str, Any]:
    """Return what a job keeps of what its sender said about the file."""
    kept: dict[str, Any] = {"patient": context.patient_reference, "guideline": context.guideline}
    kept |= {"server": context.server} if context.server else {}
    return kept | ({"refused": context.refused} if context.refused else {})


def context_of(job: IngestJob, limits: tuple[int, int]) -> ParseContext:
    """Return what a job's sender said about its file, with the largest resource and file taken (bytes)."""
    return ParseContext(
        patient_reference=job.context.get("patient") or "",
        guideline=job.context.get("guideline"),
        max_resource_bytes=limits[0],
        max_file_bytes=limits[1],
        zone=settings.TIME_ZONE,
        ocr_languages=settings.INGESTION_OCR_LANGUAGES,
        server=job.context.get("server") or "",
        refused=job.context.get("refused") or {},
    )


def sealed_name(name: str, sha256: str) -> bytes:
    """Return a file's name as its job keeps it. A name on disk need not be text; what is not becomes "?"."""
    return site_cipher().encrypt(name.encode(errors="replace"), binding=_name_binding(sha256))


def name_of(job: IngestJob) -> str:
    """Return the name the file came with."""
    return site_cipher().decrypt(job.name, binding=_name_binding(job.original_id)).decode()
