"""Two records made one, with what it takes to part them again."""

from __future__ import annotations

from django.db import models

from clinical.models.patient import Patient


class PatientMerge(models.Model):
    """One merge, numbered in the order they were made: what was held of `merged` is the survivor's from then on.

    `moved` names by primary key what came from the merged patient: versions, identifiers, questions, cards, care team
    and search terms that were added, and Patient resources that went out of effect. `merged` stays as an empty
    shell with a key of his own, so that the merge can be undone. `by` is a feed or a user, `reason` a code or
    short words; no patient text.
    """

    id = models.BigAutoField(primary_key=True)
    survivor = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="merged_in")
    merged = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="merged_into")
    original_sha256 = models.CharField(max_length=64, blank=True)
    by = models.CharField(max_length=150)
    merged_at = models.DateTimeField()
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undo_reason = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=models.Q(undone_at=None), name="merged_into_one_patient"
            ),
        ]
