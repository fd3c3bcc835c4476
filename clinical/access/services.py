"""The access decision as the application makes it: policy, care team, and the audit row of a denial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.audit import trail
from clinical.domain.access import (
    AccessDeniedError,
    AccessGrant,
    AccessRequest,
    Purpose,
    Role,
    authorise,
)
from clinical.models import CareTeamMember

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import User


def roles_of(user: User) -> frozenset[Role]:
    """Return the roles of an active user; groups of other names mean nothing here."""
    known = {role.value for role in Role}
    names = user.groups.values_list("name", flat=True) if user.is_active else ()
    return frozenset(Role(name) for name in names if name in known)


def grant_access(
    user: User | AbstractBaseUser,
    patient_id: UUID,
    *,
    action: str,
    now: datetime,
    purpose: Purpose = Purpose.TREATMENT,
) -> AccessGrant:
    """Decide, and record a denial.

    Args:
        user: who asks.
        patient_id: whose record.
        action: what for, as it stands in the trail ("question.ask", "chart.view").
        now: timezone-aware.
        purpose: HL7 v3 PurposeOfUse.

    Raises:
        AccessDeniedError: with a reason code; the denial is already on the trail.
    """
    user_id = user.get_username()
    request = AccessRequest(
        user_id=user_id,
        roles=roles_of(user),  # type: ignore[arg-type]  # this project's user model is User
        patient_id=patient_id,
        purpose=purpose,
        care_team=frozenset(CareTeamMember.objects.filter(patient_id=patient_id).values_list("user_id", flat=True)),
    )
    try:
        return authorise(request, now=now)
    except AccessDeniedError as denial:
        denial.audit_id = trail.append(
            trail.Entry(
                action=action,
                outcome="DENIED",
                user_id=user_id,
                patient_id=str(patient_id),
                purpose=purpose,
                detail={"reason": denial.reason},
            ),
            now=now,
        )
        raise


def patients_open_to(user: User | AbstractBaseUser) -> set[UUID]:
    """Return the ids of the patients whose care team the user is on."""
    return set(CareTeamMember.objects.filter(user_id=user.get_username()).values_list("patient_id", flat=True))


def record_read(grant: AccessGrant, *, action: str, now: datetime, **detail: str | int) -> None:
    """Record that something of a patient is being shown; called before it is read.

    Args:
        grant: the decision it rests on.
        action: "chart.view", "source.view" ...
        now: timezone-aware.
        detail: references and counts only, never patient text.
    """
    grant.check_current(now)
    trail.append(
        trail.Entry(
            action=action,
            outcome="SUCCESS",
            user_id=grant.user_id,
            patient_id=str(grant.patient_id),
            purpose=grant.purpose,
            detail={"grant": str(grant.grant_id), **detail},
        ),
        now=now,
    )
