"""The machines' door: CDS Hooks, FHIR and the JSON API, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from appliance import health

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
]
