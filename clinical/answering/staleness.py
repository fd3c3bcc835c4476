"""Whether a saved answer still stands: what it cites may have changed, or records may have arrived since.

That a cited version changed is marked in the transaction that changes it (`clinical.record.staleness`). That
the record has grown is written nowhere: the count of the patient's versions stands against the count when the
answer was read. One query tells it for all answers of a patient, and nothing is decrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max

from clinical.answering.events import AnswerStale, Status
from clinical.models import Answer, ResourceVersion
from clinical.record.staleness import StaleReason, changed_meanwhile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

NEWER_RECORDS: Final = "newer-records"
_MAY_ANSWER_NOW: Final = frozenset({Status.NOT_DOCUMENTED, Status.EVIDENCE_ONLY})


@dataclass(frozen=True, slots=True)
class RecordSize:
    """How many versions a patient's record holds, when the last was stored and its primary key (None: none held)."""

    versions: int
    last_stored: datetime | None
    last_version: int | None


def record_size(patient_id: UUID) -> RecordSize:
    """Return the size of a patient's record; to be read before the record itself is, so that nothing slips between."""
    found = ResourceVersion.objects.filter(patient_id=patient_id).aggregate(
        versions=Count("id"), last_stored=Max("stored_at"), last_version=Max("id")
    )
    return RecordSize(**found)


def staleness_of(answer: Answer, size: RecordSize) -> AnswerStale | None:
    """Return why a saved answer may no longer hold, given the record's size now; None while it stands.

    The reason is a `clinical.record.staleness.StaleReason`, or `newer-records`: nothing it cites has changed, but
    records of the patient have arrived since. That is grave where the record held no answer then: it may now.
    """
    if answer.stale_since is not None:
        return AnswerStale(answer.stale_reason or StaleReason.REPLACED, answer.stale_since, grave=True)
    if answer.versions_read is None or answer.versions_read == size.versions or size.last_stored is None:
        return None
    return AnswerStale(NEWER_RECORDS, size.last_stored, grave=answer.status in _MAY_ANSWER_NOW)


def stale_answer(question_id: UUID, patient_id: UUID) -> AnswerStale | None:
    """Return why the saved answer to a question may no longer hold; None while it stands, or is not yet saved."""
    held = Answer.objects.filter(question_id=question_id, outcome="SUCCESS").defer("result", "draft").first()
    return None if held is None else staleness_of(held, record_size(patient_id))


def marks_of_a_new_answer(cited: Iterable[ResourceVersion], *, versions_read: int, now: datetime) -> dict[str, Any]:
    """Return the fields that say whether an answer is stale already when it is stored.

    Args:
        cited: the versions it rests on, read in the transaction that stores it.
        versions_read: of `record_size`, when the record was read.
        now: timezone-aware.
    """
    reason = changed_meanwhile(cited)
    return {
        "versions_read": versions_read,
        "stale_since": now if reason else None,
        "stale_reason": reason or "",
    }
