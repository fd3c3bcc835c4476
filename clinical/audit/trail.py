"""Append to the trail and verify it.

Each row's hash covers its fields and the hash before it, so that altering, removing or reordering a
row breaks the chain from there on.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import connections, transaction

from clinical.audit.together import Together
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

GENESIS: Final = "0" * 64
_LOCK: Final = 7_411_203_365_112  # any constant: one advisory lock serialises the chain on PostgreSQL
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded. `detail` holds references, codes, counts and digests; never patient text."""

    action: str
    outcome: str
    user_id: str
    patient_id: str = ""
    purpose: str = ""
    on_behalf_of: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry on its way."""

    entry: Entry
    now: datetime
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of walking the chain: rows read, and the first row that breaks it, if any."""

    rows: int
    first_broken: int | None
    head: str


def append(entry: Entry, *, now: datetime) -> uuid.UUID:
    """Write one row durably and return its id; commits apart from any transaction of the caller.

    Raises:
        django.db.Error: the trail cannot be written; the caller must stop.
    """
    mine = _Waiting(entry, now)
    _together.add(mine)
    return mine.id


def _write(batch: Sequence[_Waiting]) -> None:
    with transaction.atomic(using="audit"):
        _serialise()
        last = AuditEvent.objects.order_by("-seq").values_list("seq", "hash").first()
        seq, previous = last or (0, GENESIS)
        for one in batch:
            event = _event(one, seq=seq + 1, previous=previous)
            event.save(force_insert=True)
            seq, previous = event.seq, event.hash


# Rows that threads append at once are written together: one wait for the disk instead of one each.
_together: Together[_Waiting] = Together(lambda batch: _write(batch))


def _event(one: _Waiting, *, seq: int, previous: str) -> AuditEvent:
    entry = one.entry
    event = AuditEvent(
        seq=seq,
        id=one.id,
        recorded_at=one.now,
        action=entry.action,
        outcome=entry.outcome,
        user_id=entry.user_id,
        on_behalf_of=entry.on_behalf_of,
        patient_id=entry.patient_id,
        purpose=entry.purpose,
        detail=entry.detail,
        previous_hash=previous,
    )
    event.hash = _hash_of(event)
    return event


def verify() -> Verification:
    """Walk the whole chain."""
    previous, expected, rows = GENESIS, 1, 0
    for event in _in_order():
        if event.seq != expected or event.previous_hash != previous or event.hash != _hash_of(event):
            return Verification(rows=rows, first_broken=expected, head=previous)
        previous, expected, rows = event.hash, expected + 1, rows + 1
    return Verification(rows=rows, first_broken=None, head=previous)


def _in_order() -> Iterator[AuditEvent]:
    return AuditEvent.objects.order_by("seq").iterator(chunk_size=1000)


def _serialise() -> None:
    """Let one writer at a time read the head; SQLite's IMMEDIATE transaction already does."""
    connection = connections["audit"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _hash_of(event: AuditEvent) -> str:
    return hashlib.sha256(
        _encode(
            [
                event.seq,
                str(event.id),
                event.recorded_at.timestamp(),
                event.action,
                event.outcome,
                event.user_id,
                event.on_behalf_of,
                event.patient_id,
                event.purpose,
                event.detail,
                event.previous_hash,
            ]
        )
    ).hexdigest()
