"""The operator's pages, and those of held items. No name and no word of a record stands in an address."""

from __future__ import annotations

from django.urls import path

from ingestion.web import accounts, decisions, health, held, views

urlpatterns = [
    path("ingest/", views.ingest, name="ingest"),
    path("ingest/progress", views.progress, name="ingest-progress"),
    path("ingest/health/", health.health_page, name="health"),
    path("ingest/conservation/", accounts.conservation_page, name="conservation"),
    path("ingest/reconciliation/", accounts.reconciliation_page, name="reconciliation"),
    path("ingest/held/", held.held_list, name="held"),
    path("ingest/held/replay", decisions.held_replay, name="held-replay"),
    path("ingest/held/unassigned/<int:number>/patients", held.held_find, name="held-find"),
    path("ingest/held/unassigned/<int:number>/assign", decisions.held_assign, name="held-assign"),
    path("ingest/held/unassigned/<int:number>/undo", decisions.held_undo, name="held-undo"),
    path("ingest/held/quarantined/<int:number>/correct", decisions.held_correct, name="held-correct"),
    path("ingest/held/<str:queue>/<int:number>/", held.held_item, name="held-item"),
    path("ingest/held/<str:queue>/<int:number>/original", held.held_original, name="held-original"),
    path("ingest/held/<str:queue>/<int:number>/dismiss", decisions.held_dismiss, name="held-dismiss"),
]
