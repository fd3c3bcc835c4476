"""The ledger: what is due, how far it has come, and where every received item went."""

from __future__ import annotations

from django.db import models

from ingestion.models.original import Original


class IngestJob(models.Model):
    """One received file or message. `cursor` counts the items whose effect is committed.

    received = stored + unchanged + superseded + unassigned + quarantined, once the job is done.
    """

    class State(models.TextChoices):
        """Where the job stands; the moves are in ingestion.domain.job_states."""

        RECEIVED = "received"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="jobs")
    name = models.BinaryField()
    feed = models.CharField(max_length=64)
    context = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVED)
    cursor = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    superseded = models.PositiveIntegerField(default=0)
    unassigned = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "lease_until"], name="job_due")]
