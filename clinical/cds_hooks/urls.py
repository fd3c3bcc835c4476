"""Addresses of the CDS Hooks services; without a slash at the end, as the standard has them."""

from __future__ import annotations

from django.urls import path

from clinical.cds_hooks import views

urlpatterns = [
    path("cds-services", views.discovery, name="cds-discovery"),
    path("cds-services/<str:service_id>", views.call, name="cds-call"),
    path("cds-services/<str:service_id>/feedback", views.feedback, name="cds-feedback"),
]
