"""Closes questions whose process ended before the answer did: killed, or the power failed.

Such a question has its first row in the trail and no last one. A process that ends cannot write it,
so the sweeper does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from clinical.audit import trail
from clinical.models import Answer, Question

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

# Far longer than any answer takes; one that ends later still writes its own last row.
UNFINISHED_AFTER: Final = timedelta(minutes=10)
MOST_AT_ONCE: Final = 100


def close_unfinished(*, now: datetime) -> int:
    """Write INTERRUPTED for questions asked long ago that have no end; returns how many.

    They stay open to be asked again: opening the question answers it anew.

    Raises:
        django.db.Error: the trail cannot be written; what was not closed is found again.
    """
    ids = (
        Question.objects.filter(answer=None, asked_at__lt=now - UNFINISHED_AFTER)
        .order_by("asked_at")
        .values_list("id", flat=True)[:MOST_AT_ONCE]
    )
    return sum(_close(one, now=now) for one in list(ids))


def _close(question_id: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        question = Question.objects.select_for_update().get(id=question_id)
        if Answer.objects.filter(question=question).exists():  # it ended meanwhile, or another sweeper was first
            return False
        audit_id = trail.append(
            trail.Entry(
                action="question",
                outcome="INTERRUPTED",
                user_id=question.user_id,
                patient_id=str(question.patient_id),
                detail={"question_id": str(question.id), "closed_by": "sweeper"},
            ),
            now=now,
        )
        Answer.objects.create(
            question=question, outcome="INTERRUPTED", result=b"", draft=b"", audit_id=audit_id, finished_at=now
        )
    return True
