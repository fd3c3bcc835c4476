"""The newest rows of the audit trail, for the privacy role. Ids only; looking is itself recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

NEWEST: Final = 200


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show who did what about whom, newest first."""
    user = cast("User", request.user)
    allowed = Role.PRIVACY in roles_of(user)
    entry = trail.Entry(action="audit.view", outcome="SUCCESS" if allowed else "DENIED", user_id=user.get_username())
    trail.append(entry, now=timezone.now())
    if not allowed:
        raise AccessDeniedError("no-privacy-role")
    return render(request, "audit.html", {"rows": AuditEvent.objects.order_by("-seq")[:NEWEST]})
