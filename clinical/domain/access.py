"""Who may read what, decided once and carried as a value.

`AccessGrant` cannot be built except by `authorise`; retrieval and every read of a
record take one, so a read that forgot the decision does not type-check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from collections.abc import Collection

GRANT_LIFETIME: Final = timedelta(minutes=15)
# HL7 v3 Confidentiality codes that no role searches: policy, not role, decides.
RESTRICTED_LABELS: Final = frozenset({"R", "V"})
_MINT: Final = object()


class Purpose(StrEnum):
    """Why a record is read: HL7 v3 PurposeOfUse codes."""

    TREATMENT = "TREAT"
    OPERATIONS = "HOPERAT"


class Role(StrEnum):
    """What a user is to the site; the name of the Django group."""

    CLINICIAN = "clinician"
    PRIVACY = "privacy"
    OPERATOR = "operator"
    LEAD = "clinical-lead"


class AccessDeniedError(Exception):
    """The decision was no. `reason` is a code, never patient text; `audit_id` the denial's row on the trail."""

    def __init__(self, reason: str, audit_id: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.audit_id = audit_id


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who asks to read whom, and why. `care_team` holds the user ids treating the patient."""

    user_id: str
    roles: frozenset[Role]
    patient_id: UUID
    purpose: Purpose
    care_team: Collection[str]


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """Permission to read one patient's record until `expires_at` (timezone-aware)."""

    user_id: str
    patient_id: UUID
    purpose: Purpose
    granted_at: datetime
    expires_at: datetime
    hidden_labels: frozenset[str]
    grant_id: UUID = field(default_factory=uuid4)
    mint: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.mint is not _MINT:
            raise TypeError("an AccessGrant is made by authorise() only")

    def check_current(self, now: datetime) -> None:
        """Raise AccessDeniedError("grant-expired") when the grant has run out at `now`."""
        if now >= self.expires_at:
            raise AccessDeniedError("grant-expired")


def authorise(request: AccessRequest, *, now: datetime) -> AccessGrant:
    """Decide whether the record may be read.

    Args:
        request: who asks, for whom, why, and who treats the patient.
        now: timezone-aware time of the decision.

    Raises:
        AccessDeniedError: `no-clinical-role`, `purpose-not-allowed` or `not-in-care-team`.
    """
    if Role.CLINICIAN not in request.roles:
        raise AccessDeniedError("no-clinical-role")
    if request.purpose is not Purpose.TREATMENT:
        raise AccessDeniedError("purpose-not-allowed")
    if request.user_id not in request.care_team:
        raise AccessDeniedError("not-in-care-team")
    return AccessGrant(
        user_id=request.user_id,
        patient_id=request.patient_id,
        purpose=request.purpose,
        granted_at=now,
        expires_at=now + GRANT_LIFETIME,
        hidden_labels=RESTRICTED_LABELS,
        mint=_MINT,
    )
