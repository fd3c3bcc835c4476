"""The people's door."""

from __future__ import annotations

from django.urls import include, path

from appliance import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("clinical.web.urls")),
    path("", include("ingestion.web.urls")),
]
