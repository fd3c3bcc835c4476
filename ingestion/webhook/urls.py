"""Addresses of the FHIR door; without a slash at the end, as the standard has them."""

from __future__ import annotations

from django.urls import path

from ingestion.webhook import notified, views

urlpatterns = [
    path("fhir", views.base, name="fhir-base"),
    path("fhir/", views.base),
    path("fhir/metadata", views.metadata, name="fhir-metadata"),
    path("fhir/$process-message", views.base),
    path("fhir/jobs/<int:number>", views.job, name="fhir-job"),
    path("fhir/subscription/<str:name>", notified.notification, name="fhir-subscription"),
    path("fhir/subscription/<str:name>/<str:resource_type>", notified.notification),
    path("fhir/subscription/<str:name>/<str:resource_type>/<str:resource_id>", notified.notification),
    path("fhir/<str:resource_type>", views.of_type, name="fhir-type"),
    path("fhir/<str:resource_type>/<str:resource_id>", views.instance, name="fhir-instance"),
    path("fhir/<path:path>", views.elsewhere),
]
