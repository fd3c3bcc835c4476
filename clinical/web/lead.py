"""The clinical lead's page: whether the model drafts, and which tables are in force with what standing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinical.access.services import roles_of
from clinical.answering.switches import DRAFTING, LONGEST_REASON, drafting_allowed, turn_drafting
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.knowledge.approvals import counts
from clinical.models import Switch

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
def lead(request: HttpRequest) -> HttpResponse:
    """Show the switch and the tables; POST turns drafting on or off, with a reason."""
    user = cast("User", request.user)
    now = timezone.now()
    words = ""
    if request.method == "POST":
        try:
            turn_drafting(user, on=request.POST.get("turn") == "on", reason=request.POST.get("reason", ""), now=now)
        except ValueError:
            words = f"A reason of 1 to {LONGEST_REASON} characters is needed. Nothing was changed."
        else:
            return HttpResponseRedirect(reverse("lead"))
    allowed = Role.LEAD in roles_of(user)
    outcome = "SUCCESS" if allowed else "DENIED"
    trail.append(trail.Entry(action="lead.view", outcome=outcome, user_id=user.get_username()), now=now)
    if not allowed:
        raise AccessDeniedError("no-lead-role")
    context = {
        "drafting": drafting_allowed(),
        "installation": settings.CLINICAL_DRAFTING,
        "switch": Switch.objects.filter(name=DRAFTING).first(),
        "longest": LONGEST_REASON,
        "words": words,
        "tables": [
            (name, found["checked"], found["approved"], found["from memory"]) for name, found in counts().items()
        ],
        "is_site": settings.CLINICAL_PROFILE == "site",
    }
    return render(request, "lead.html", context, status=400 if words else 200)
