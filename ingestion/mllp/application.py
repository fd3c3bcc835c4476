"""Application acknowledgements: who asks for one (MSH-16) is told what became of the message, over the same connection.

The acceptance (CA) says that the bytes are safe, this says that the record has them: AA, with a warning where all or
part of it waits for a person, or AE where some of it could not be taken in. A sender who has gone meanwhile is not
told; the message is taken in all the same.

Source: HL7 v2.8.2 chapter 2, section 2.9.3 (enhanced acknowledgement rules); table 0155.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import Error
from django.db import connection as database

from ingestion.domain.v2.acknowledge import Verdict, application_wanted
from ingestion.models import IngestJob

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Message

MOST_WAITING: Final = 1000
_AT_ONCE: Final = 200
_LOOK_S: Final = 0.1
QUARANTINED: Final = "not-all-taken-in"
HELD: Final = "waits-for-a-person"


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one message; `reason` is "" when all of it is in the record."""

    message: Message
    verdict: Verdict
    reason: str


class Applications:
    """The accepted messages of one connection whose sender waits to be told."""

    def __init__(self) -> None:
        self._waiting: dict[int, Message] = {}
        self._looked = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, job_id: int, message: Message | None) -> None:
        """Remember an accepted message, if its sender asks for it; beyond 1000 the oldest is not told any more."""
        if message is None or not application_wanted(message):
            return
        if len(self._waiting) >= MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[job_id] = message

    def finished(self) -> list[Became]:
        """Return those that are finished now, oldest first; the ledger is looked at ten times a second at most."""
        now = time.monotonic()
        if not self._waiting or now - self._looked < _LOOK_S:
            return []
        self._looked = now
        ids = list(self._waiting)[:_AT_ONCE]
        rows = IngestJob.objects.filter(pk__in=ids, state=IngestJob.State.DONE).order_by("pk")
        try:
            found = list(rows.values_list("pk", "quarantined", "unassigned"))
        except Error:  # asked again the next time
            database.close()
            return []
        return [self._became(*row) for row in found]

    def _became(self, job_id: int, quarantined: int, unassigned: int) -> Became:
        message = self._waiting.pop(job_id)
        if quarantined:
            return Became(message, Verdict.ERROR, QUARANTINED)
        return Became(message, Verdict.ACCEPT, HELD if unassigned else "")
