"""What a comparison with the sending system has found, kept for the operator's page."""

from __future__ import annotations

from django.db import models


class Reconciliation(models.Model):
    """One comparison of counts. References are opaque ids and numbers of rows; no identifier is kept.

    `differences` is a list of {"patient", "row", "type", "expected", "held", "held_back"}: `patient` an opaque id
    or "", `row` the row of the list that names somebody not known here.
    """

    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    source = models.CharField(max_length=16)
    expected = models.PositiveBigIntegerField()
    held = models.PositiveBigIntegerField()
    matched = models.PositiveBigIntegerField()
    compared = models.PositiveIntegerField()
    unknown_patients = models.PositiveIntegerField(default=0)
    jobs_open = models.PositiveIntegerField(default=0)
    differences = models.JSONField(default=list)

    @property
    def percent(self) -> float:
        """How much of what was expected is held, in per cent rounded down to a tenth; 100 only when all of it is."""
        return 100.0 if not self.expected else (self.matched * 1000 // self.expected) / 10
