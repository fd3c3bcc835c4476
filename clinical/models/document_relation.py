"""What current documents say of others: which they replace, which they add to, and where their bytes are."""

from __future__ import annotations

from django.db import models

from clinical.models.patient import Patient
from clinical.models.resource_version import ResourceVersion


class DocumentRelation(models.Model):
    """One reference that one document version makes; ids only, as the version's own columns have them.

    `kind` is a `clinical.domain.relations.RelationKind`. Kept while the version is in effect, or is itself out of
    effect because another document replaced it.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="document_relations")
    version = models.ForeignKey(ResourceVersion, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(max_length=16)
    server = models.CharField(max_length=255, blank=True)
    target_type = models.CharField(max_length=64)
    target_id = models.CharField(max_length=128)

    class Meta:
        indexes = [models.Index(fields=["target_id", "kind"], name="relation_by_target")]
