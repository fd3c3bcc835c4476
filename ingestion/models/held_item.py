"""Items that did not become part of a record: refused ones, and ones whose patient is not known."""

from __future__ import annotations

from django.db import models

from ingestion.models.ingest_job import IngestJob


class QuarantinedItem(models.Model):
    """An item that could not be taken in. `detail` names elements, never patient text."""

    job = models.ForeignKey(IngestJob, on_delete=models.CASCADE, related_name="quarantine")
    ordinal = models.PositiveIntegerField()
    position = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=64)
    detail = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="quarantined_once")]


class UnassignedItem(models.Model):
    """A valid item that names no patient known here. In nobody's answers, counted in every absence text."""

    job = models.ForeignKey(IngestJob, on_delete=models.CASCADE, related_name="unassigned_items")
    ordinal = models.PositiveIntegerField()
    position = models.CharField(max_length=64, blank=True)
    resource_type = models.CharField(max_length=64)
    reason = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="unassigned_once")]
