"""Typed projections of the current versions, rebuilt from them at will."""

from __future__ import annotations

from django.db import models

from clinical.models.patient import Patient
from clinical.models.resource_version import ResourceVersion


class FactRow(models.Model):
    """One typed row of a current resource version; `payload` is encrypted under the patient's key."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="facts")
    version = models.ForeignKey(ResourceVersion, on_delete=models.CASCADE, related_name="facts")
    ordinal = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=40)
    payload = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "ordinal"], name="fact_once")]
        indexes = [models.Index(fields=["patient", "kind"], name="fact_by_kind")]
