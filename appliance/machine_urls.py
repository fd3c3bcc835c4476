"""The machines' door: CDS Hooks, FHIR and the JSON API, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.urls import include, path

from appliance import health
from clinical.api.problems import refusal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("clinical.cds_hooks.urls")),
    path("", include("clinical.api.urls")),
    path("", include("ingestion.webhook.urls")),
]


def _outcome(request: HttpRequest, status: int, code: str, api_code: str) -> HttpResponse:
    """Return a refusal that no door has made, as JSON: the people's error pages are of no use to a machine."""
    if request.path.startswith("/api/"):
        return refusal(api_code)
    issue = {"severity": "error", "code": code}
    return JsonResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status=status)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse a request that cannot be read."""
    del exception
    return _outcome(request, 400, "invalid", "bad-request")


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse."""
    del exception
    return _outcome(request, 403, "forbidden", "forbidden")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is nothing here."""
    del exception
    return _outcome(request, 404, "not-found", "not-found")


def handler500(request: HttpRequest) -> HttpResponse:
    """Say that something failed here; what, stands in the log."""
    return _outcome(request, 500, "exception", "exception")
