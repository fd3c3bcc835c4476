"""Questions asked before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.answering.services import text_of
from clinical.models import Question

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.domain.access import AccessGrant


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One question asked before; `stale_since` is set when a cited record has changed since."""

    id: UUID
    text: str
    asked_at: datetime
    status: str
    stale_since: datetime | None


def recent_questions(grant: AccessGrant, *, limit: int = 10) -> list[AskedLine]:
    """Return the granted user's own questions about the granted patient, newest first."""
    questions = (
        Question.objects.filter(user_id=grant.user_id, patient_id=grant.patient_id)
        .select_related("patient", "answer")
        .order_by("-asked_at")[:limit]
    )
    lines = []
    for question in questions:
        held = getattr(question, "answer", None)
        lines.append(
            AskedLine(
                id=question.id,
                text=text_of(question),
                asked_at=question.asked_at,
                status=held.status if held is not None else "",
                stale_since=held.stale_since if held is not None else None,
            )
        )
    return lines
