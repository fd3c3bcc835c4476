"""Typed rows kept decoded in this process for the patients asked about last.

A clinician asks several questions about one patient; decrypting and decoding his rows takes longer than all the
rest. What is kept is used only while the record is the one it was read from: count, greatest and sum of the row
numbers say so, which no insertion or deletion leaves alike. Bounded in rows and in time, never used inside a
transaction (whose rows may be rolled back and their numbers given again), and dropped when the patient is erased:
here at once, in other processes at the latest when KEPT_S are over and the next question comes, and never read,
because the key is asked for first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import Count, Max, Sum

from clinical.models import FactRow

if TYPE_CHECKING:
    from uuid import UUID

    from clinical.domain.facts import Fact

MOST_ROWS: Final = 50_000  # about 2 kB each
KEPT_S: Final = 600.0
Stamp = tuple[int, int | None, int | None]
Key = tuple["UUID", bool]


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: Stamp
    facts: tuple[Fact, ...]
    until: float


_lock = threading.Lock()
_kept: OrderedDict[Key, _Kept] = OrderedDict()


def stamp_of(patient_id: UUID) -> Stamp | None:
    """Return what changes with every change of a patient's rows; None where nothing may be kept."""
    if connection.in_atomic_block:
        return None
    found = FactRow.objects.filter(patient_id=patient_id).aggregate(rows=Count("id"), last=Max("id"), sum=Sum("id"))
    return (found["rows"], found["last"], found["sum"])


def kept(patient_id: UUID, stamp: Stamp | None, *, hiding: bool) -> tuple[Fact, ...] | None:
    """Return the rows kept of a patient if they are of this stamp; `hiding` says that restricted ones are left out."""
    now = time.monotonic()
    with _lock:
        for key in [key for key, held in _kept.items() if held.until <= now]:
            del _kept[key]
        held = _kept.get((patient_id, hiding))
        if held is None or held.stamp != stamp:
            return None
        _kept.move_to_end((patient_id, hiding))
        return held.facts


def keep(patient_id: UUID, stamp: Stamp | None, facts: tuple[Fact, ...], *, hiding: bool) -> None:
    """Keep the rows that were read after the stamp; those asked for longest ago make room."""
    if stamp is None or len(facts) > MOST_ROWS:
        return
    with _lock:
        _kept.pop((patient_id, hiding), None)
        rows = len(facts) + sum(len(held.facts) for held in _kept.values())
        while rows > MOST_ROWS:
            rows -= len(_kept.popitem(last=False)[1].facts)
        _kept[patient_id, hiding] = _Kept(stamp, facts, time.monotonic() + KEPT_S)


def forget(patient_id: UUID | None = None) -> None:
    """Drop what is kept of a patient, or of everybody."""
    with _lock:
        for key in [key for key in _kept if patient_id in {None, key[0]}]:
            del _kept[key]
