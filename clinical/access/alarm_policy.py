"""Whether NEWS2's thresholds are an alarm here: off, unless the clinical lead has made them the site's own policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.models import Switch

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

ALARMS: Final = "alarms"
LONGEST_REASON: Final = 200


def alarms_on() -> bool:
    """Return whether the site has turned alarm words on."""
    return Switch.objects.filter(name=ALARMS, is_on=True).exists()


def turn_alarms(user: User, *, on: bool, reason: str, now: datetime) -> Switch:
    """Turn alarm words on or off; the trail's row is written first.

    Args:
        user: must have the role of the clinical lead.
        on: whether raised scores are marked as the site's alarm.
        reason: the policy it rests on, at most 200 characters, no patient's details.
        now: timezone-aware.

    Raises:
        AccessDeniedError: `no-lead-role`; audited.
        ValueError: no reason, or a longer one.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise ValueError("a reason of 1 to 200 characters is needed")
    user_id = user.get_username()
    allowed = Role.LEAD in roles_of(user)
    detail = {"on": on} | ({} if allowed else {"reason": "no-lead-role"})
    entry = trail.Entry("switch.alarms", "SUCCESS" if allowed else "DENIED", user_id, detail=detail)
    audit_id = trail.append(entry, now=now)
    if not allowed:
        raise AccessDeniedError("no-lead-role", audit_id)
    with transaction.atomic():
        values = {"is_on": on, "reason": reason.strip(), "user_id": user_id, "changed_at": now}
        switch, _created = Switch.objects.update_or_create(name=ALARMS, defaults=values)
    return switch
