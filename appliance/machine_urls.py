"""The machines' door: CDS Hooks, FHIR and the JSON API, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.urls import include, path

from appliance import health

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("clinical.cds_hooks.urls")),
    path("", include("ingestion.webhook.urls")),
]


def _outcome(status: int, code: str) -> JsonResponse:
    """Return a refusal that no door has made, as JSON: the people's error pages are of no use to a machine."""
    issue = {"severity": "error", "code": code}
    return JsonResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status=status)


def handler400(_request: HttpRequest, exception: Exception) -> JsonResponse:
    """Refuse a request that cannot be read."""
    del exception
    return _outcome(400, "invalid")


def handler403(_request: HttpRequest, exception: Exception) -> JsonResponse:
    """Refuse."""
    del exception
    return _outcome(403, "forbidden")


def handler404(_request: HttpRequest, exception: Exception) -> JsonResponse:
    """Say that there is nothing here."""
    del exception
    return _outcome(404, "not-found")


def handler500(_request: HttpRequest) -> JsonResponse:
    """Say that something failed here; what, stands in the log."""
    return _outcome(500, "exception")
