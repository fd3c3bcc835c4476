"""Items that did not become part of a record: refused ones, and ones whose patient is not known."""

from __future__ import annotations

from django.db import models

from ingestion.models.ingest_job import IngestJob


class Resolution(models.TextChoices):
    """How an item left the queue; empty while it waits."""

    SENT_AGAIN = "sent-again"  # the same bytes were taken in once more, and the newer job says what became of it
    ASSIGNED = "assigned"  # a person said whose it is; the job counts it as taken in since
    DISMISSED = "dismissed"  # a person decided that it stays out; the job counts it as before
    REPLACED = "replaced"  # a person gave a corrected text, which has a job of its own


class QuarantinedItem(models.Model):
    """An item that could not be taken in. `detail` names elements, never patient text.

    `why` is a code of the person who decided; `replaced_by` the job of the corrected text.
    """

    job = models.ForeignKey(IngestJob, on_delete=models.CASCADE, related_name="quarantine")
    ordinal = models.PositiveIntegerField()
    position = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=64)
    detail = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=16, choices=Resolution, blank=True, default="")
    resolved_by = models.CharField(max_length=150, blank=True, default="")
    why = models.CharField(max_length=64, blank=True, default="")
    replaced_by = models.ForeignKey(IngestJob, on_delete=models.SET_NULL, null=True, related_name="replaces")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="quarantined_once")]


class UnassignedItem(models.Model):
    """A valid item that names no patient known here. In nobody's answers, counted in every absence text.

    `about` is a keyed digest of the patient reference it carries, so that all items of one reference can be
    found. Once assigned: to whom (`patient_id`), the effect it had on the record ("stored", "unchanged",
    "superseded") and the version that holds it.
    """

    job = models.ForeignKey(IngestJob, on_delete=models.CASCADE, related_name="unassigned_items")
    ordinal = models.PositiveIntegerField()
    position = models.CharField(max_length=64, blank=True)
    resource_type = models.CharField(max_length=64)
    reason = models.CharField(max_length=64)
    about = models.CharField(max_length=64, blank=True, default="", db_index=True)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=16, choices=Resolution, blank=True, default="")
    resolved_by = models.CharField(max_length=150, blank=True, default="")
    why = models.CharField(max_length=64, blank=True, default="")
    patient_id = models.UUIDField(null=True, db_index=True)
    effect = models.CharField(max_length=16, blank=True, default="")
    version = models.ForeignKey("clinical.ResourceVersion", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "ordinal"], name="unassigned_once")]
