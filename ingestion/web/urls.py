"""The operator's pages."""

from __future__ import annotations

from django.urls import path

from ingestion.web import views

urlpatterns = [
    path("ingest/", views.ingest, name="ingest"),
    path("ingest/progress", views.progress, name="ingest-progress"),
]
