"""What the clinical lead can turn off while the appliance runs, at once and without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.models import Switch

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

DRAFTING: Final = "drafting"
SWITCHED_OFF: Final = "drafting-switched-off"
LONGEST_REASON: Final = 200


def drafting_allowed() -> bool:
    """Return whether the model may draft now: the installation allows it and the lead has not turned it off.

    Read from the database each time, so that a turn counts in every process from its next sentence on.
    """
    if not settings.CLINICAL_DRAFTING:
        return False
    turned = Switch.objects.filter(name=DRAFTING).values_list("is_on", flat=True).first()
    return turned is not False


def turn_drafting(user: User, *, on: bool, reason: str, now: datetime) -> Switch:
    """Turn drafting on or off; the trail's row is written first.

    Turning it on does not override an installation that has drafting off (`APPLIANCE_DRAFTING`).

    Args:
        user: must have the role of the clinical lead.
        on: whether the model may draft.
        reason: for the people of the site, at most 200 characters, no patient's details; it is kept with the
            switch and is not on the trail.
        now: timezone-aware.

    Raises:
        AccessDeniedError: `no-lead-role`; audited.
        ValueError: no reason, or a longer one.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise ValueError("a reason of 1 to 200 characters is needed")
    user_id = user.get_username()
    allowed = Role.LEAD in roles_of(user)
    outcome = "SUCCESS" if allowed else "DENIED"
    detail = {"on": on} | ({} if allowed else {"reason": "no-lead-role"})
    audit_id = trail.append(trail.Entry("switch.drafting", outcome, user_id, detail=detail), now=now)
    if not allowed:
        raise AccessDeniedError("no-lead-role", audit_id)
    with transaction.atomic():
        switch, _created = Switch.objects.update_or_create(
            name=DRAFTING,
            defaults={"is_on": on, "reason": reason.strip(), "user_id": user_id, "changed_at": now},
        )
    return switch
