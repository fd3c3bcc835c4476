"""Passages of narrative, their vectors, and what the index still has to be told."""

from __future__ import annotations

from django.db import models

from clinical.models.patient import Patient
from clinical.models.resource_version import ResourceVersion


class PassageRow(models.Model):
    """A span of one part of one current resource version. The text is the version's; none is kept here."""

    id = models.UUIDField(primary_key=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="passages")
    version = models.ForeignKey(ResourceVersion, on_delete=models.CASCADE, related_name="passages")
    part = models.CharField(max_length=4)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    section = models.CharField(max_length=40, blank=True)
    content_digest = models.CharField(max_length=64)
    indexed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "version"], name="passage_by_patient")]


class PassageVector(models.Model):
    """A dense vector by content and embedder, encrypted; saves embedding again and dies with the patient."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="vectors")
    content_digest = models.CharField(max_length=64)
    embedder_digest = models.CharField(max_length=64)
    vector = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "content_digest", "embedder_digest"], name="vector_once"),
        ]


class IndexChange(models.Model):
    """One change the index must follow; written with the record change, removed once applied and flushed.

    `failures` counts attempts that failed for a reason of the passage's own; such a change goes to the
    back of the line and stays counted as unapplied.
    """

    class Operation(models.TextChoices):
        """What the index has to do."""

        UPSERT = "upsert"
        DELETE = "delete"

    class Collection(models.TextChoices):
        """Which collection it concerns."""

        PASSAGES = "passages"
        GUIDELINES = "guidelines"

    collection = models.CharField(max_length=16, choices=Collection)
    operation = models.CharField(max_length=8, choices=Operation)
    passage_id = models.UUIDField()
    created_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
