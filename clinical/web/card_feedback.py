"""What clinicians did with cards: counts for those who run the site, words for those who treat the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from django.db.models import Count
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import grant_access, patients_open_to, record_read, roles_of
from clinical.audit import trail
from clinical.cards import comment_of
from clinical.domain.access import AccessDeniedError, Role
from clinical.models import CardFeedback, CardGiven
from clinical.selectors import patient_line

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

NEWEST: Final = 50
_SEE_COUNTS: Final = frozenset({Role.CLINICIAN, Role.LEAD, Role.OPERATOR, Role.PRIVACY})


@require_safe
def card_feedback(request: HttpRequest) -> HttpResponse:
    """Show counts by service and outcome; to clinicians the newest feedback on their own patients too."""
    user, now = cast("User", request.user), timezone.now()
    roles = roles_of(user)
    outcome = "SUCCESS" if roles & _SEE_COUNTS else "DENIED"
    trail.append(trail.Entry("cds.feedback-view", outcome, user.get_username()), now=now)
    if outcome == "DENIED":
        raise AccessDeniedError("no-clinical-role")
    given = (
        CardGiven.objects.values("service", "indicator").annotate(cards=Count("id")).order_by("service", "indicator")
    )
    said = CardFeedback.objects.values("card__service", "outcome", "reason_code").annotate(times=Count("id"))
    context = {
        "given": given,
        "said": said.order_by("card__service", "outcome", "reason_code"),
        "lines": _lines(user) if Role.CLINICIAN in roles else [],
    }
    return render(request, "cards/feedback.html", context)


def _lines(user: User) -> list[dict[str, object]]:
    """Return the newest feedback on the user's patients; the trail has a row for each patient before it is read."""
    now = timezone.now()
    found = list(
        CardFeedback.objects.filter(card__patient_id__in=patients_open_to(user))
        .select_related("card__patient__data_key")
        .order_by("-received_at")[:NEWEST]
    )
    for patient_id in dict.fromkeys(one.card.patient_id for one in found):
        grant = grant_access(user, patient_id, action="cds.feedback-view", now=now)
        record_read(grant, action="cds.feedback-view", now=now)
    return [{"feedback": one, "who": patient_line(one.card.patient), "comment": comment_of(one)} for one in found]
