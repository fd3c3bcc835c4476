"""Is this process alive, is the appliance ready, and what does it count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connections
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from appliance.config import config
from clinical.models import Patient
from clinical.ports import BackendUnavailableError, backends
from ingestion.alarms import alarms, counted
from ingestion.selectors import held_summary

if TYPE_CHECKING:
    from django.http import HttpRequest


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "alive"})


@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when database, trail, vector service and model answer and, in the demo, the clinic is loaded.

    `held` counts what waits for a person, with the age of the oldest in seconds, and `alarms` what somebody has to look
    at, by code (silent feeds, gaps and missing heartbeats of subscriptions, what waits for too long); neither makes the
    box unready.
    """
    checks = {
        "database": _database("default"),
        "audit": _database("audit"),
        "vectors": _vectors(),
        "model": backends().chat.ready(),
    }
    if config().demo and checks["database"]:
        checks["clinic"] = Patient.objects.exists()
    ready = all(checks.values())
    told = _held_and_alarms() if checks["database"] else {"held": None, "alarms": None}
    answer = {"ready": ready, "checks": checks, **told}
    return JsonResponse(answer, status=200 if ready else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Counters for the site's own scraper, to loopback only."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    if request.META.get("REMOTE_ADDR") not in {"127.0.0.1", "::1"}:
        return HttpResponseForbidden("metrics are served to this machine only")
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _held_and_alarms() -> dict[str, Any]:
    now = timezone.now()
    try:
        return {"held": held_summary(now=now), "alarms": counted(alarms(now=now))}
    except Error:
        return {"held": None, "alarms": None}


def _database(alias: str) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _vectors() -> bool:
    try:
        backends().index.ensure_collections()
    except BackendUnavailableError:
        return False
    return True
