"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from clinical.access.services import roles_of
from clinical.domain.access import Role
from clinical.selectors import feeds
from clinical.web.idle import IDLE_SECONDS, WARN_SECONDS

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the user's roles, what came in last and waits, the site's time zone and the idle limits."""
    user = getattr(request, "user", None)
    roles = roles_of(user) if user is not None and user.is_authenticated else frozenset()
    return {
        "is_clinician": Role.CLINICIAN in roles,
        "is_privacy": Role.PRIVACY in roles,
        "is_operator": Role.OPERATOR in roles,
        "is_lead": Role.LEAD in roles,
        "frame_feeds": feeds,  # asked for by pages only: a fragment has no frame
        "frame_held": import_string(settings.CLINICAL_HELD_BACK),
        "frame_alarms": import_string(settings.CLINICAL_ALARMS),
        "site_zone": timezone.get_current_timezone_name(),
        "idle_seconds": IDLE_SECONDS,
        "warn_seconds": WARN_SECONDS,
    }
