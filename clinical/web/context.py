"""What every page's frame needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from clinical.access.services import roles_of
from clinical.domain.access import Role
from clinical.web.idle import IDLE_SECONDS, WARN_SECONDS

if TYPE_CHECKING:
    from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the user's roles, the site's time zone and the idle limits, for the page frame."""
    user = getattr(request, "user", None)
    roles = roles_of(user) if user is not None and user.is_authenticated else frozenset()
    return {
        "is_clinician": Role.CLINICIAN in roles,
        "is_privacy": Role.PRIVACY in roles,
        "is_operator": Role.OPERATOR in roles,
        "site_zone": timezone.get_current_timezone_name(),
        "idle_seconds": IDLE_SECONDS,
        "warn_seconds": WARN_SECONDS,
    }
