"""Questions asked before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.answering.services import text_of
from clinical.answering.staleness import record_size, staleness_of
from clinical.models import Question

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.answering.events import AnswerStale
    from clinical.domain.access import AccessGrant


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One question asked before; `stale` says why its answer may no longer hold."""

    id: UUID
    text: str
    asked_at: datetime
    status: str
    stale: AnswerStale | None


def recent_questions(grant: AccessGrant, *, limit: int = 10) -> list[AskedLine]:
    """Return the granted user's own questions about the granted patient, newest first."""
    questions = (
        Question.objects.filter(user_id=grant.user_id, patient_id=grant.patient_id)
        .select_related("patient__data_key", "answer")
        .defer("answer__result", "answer__draft")
        .order_by("-asked_at")[:limit]
    )
    size = record_size(grant.patient_id)
    lines = []
    for question in questions:
        held = getattr(question, "answer", None)
        lines.append(
            AskedLine(
                id=question.id,
                text=text_of(question),
                asked_at=question.asked_at,
                status=held.status if held is not None else "",
                stale=staleness_of(held, size) if held is not None and held.outcome == "SUCCESS" else None,
            )
        )
    return lines
