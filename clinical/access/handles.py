"""Single-use links into the pages: opaque, short-lived, bound to one user and one patient."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.audit import trail
from clinical.keys import cipher_of, cipher_of_id
from clinical.models import Handle, Patient

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.domain.access import AccessGrant

LIFETIME: Final = timedelta(minutes=10)
_BYTES: Final = 32
LONGEST: Final = 64  # characters of a token


class HandleError(Exception):
    """The link does not open. `reason` is a code: unknown, expired, used or another-user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link stands for: whose chart, and the question to have ready."""

    patient_id: UUID
    question: str


def new_handle(grant: AccessGrant, patient: Patient, question: str, *, now: datetime) -> tuple[str, Handle]:
    """Return the token of a new link and its row, which the caller saves; the token itself is kept nowhere."""
    token = secrets.token_urlsafe(_BYTES)
    digest = _digest(token)
    sealed = cipher_of(patient).encrypt(question.encode(), binding=f"handle {digest}") if question else b""
    row = Handle(digest=digest, patient=patient, user_id=grant.user_id, question=sealed, expires_at=now + LIFETIME)
    return token, row


def open_handle(token: str, user_id: str, *, now: datetime) -> Opened:
    """Use the link up and return what it stands for; whether the chart opens is decided afterwards, as always.

    A link that is shown to another user stays good for its own.

    Raises:
        HandleError: it does not open; on the trail.
    """
    row = Handle.objects.filter(digest=_digest(token)).first() if len(token) <= LONGEST else None
    reason = _refusal(row, user_id, now)
    # One statement: of two openings at once only one finds the link unused.
    if row is not None and not reason and not Handle.objects.filter(pk=row.pk, used_at=None).update(used_at=now):
        reason = "used"
    patient_id = str(row.patient_id) if row is not None else ""
    detail = {"reason": reason} if reason else {}
    outcome = "DENIED" if reason else "SUCCESS"
    trail.append(trail.Entry("handle.open", outcome, user_id, patient_id=patient_id, detail=detail), now=now)
    if row is None or reason:
        raise HandleError(reason)
    cipher = cipher_of_id(row.patient_id)
    question = cipher.decrypt(row.question, binding=f"handle {row.digest}").decode() if row.question else ""
    return Opened(row.patient_id, question)


def forget_expired(*, now: datetime) -> int:
    """Delete links that have run out; returns how many."""
    return Handle.objects.filter(expires_at__lt=now).delete()[0]


def _refusal(row: Handle | None, user_id: str, now: datetime) -> str:
    if row is None:
        return "unknown"
    if row.user_id != user_id:
        return "another-user"
    if row.used_at is not None:
        return "used"
    return "expired" if row.expires_at <= now else ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
