"""The canonical record: every version of every FHIR R4 resource."""

from __future__ import annotations

from django.db import models

from clinical.models.patient import Patient


class ResourceVersion(models.Model):
    """One stored version of one FHIR R4 resource.

    `content` is the R4 JSON, encrypted under the patient's key (the site's key for resources that
    belong to no patient) and bound to this row's identity. `number` counts the versions held here
    from 1 in order of arrival; `is_current` marks the one that takes effect.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, related_name="versions")
    server = models.CharField(max_length=255, blank=True)
    resource_type = models.CharField(max_length=64)
    logical_id = models.CharField(max_length=128)
    number = models.PositiveIntegerField()
    source_version = models.CharField(max_length=64, blank=True)
    source_updated = models.DateTimeField(null=True)
    status = models.CharField(max_length=64, blank=True)
    effective = models.CharField(max_length=40, blank=True)
    labels = models.JSONField(default=list)
    restricted = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64)
    original_sha256 = models.CharField(max_length=64)
    original_position = models.CharField(max_length=64, blank=True)
    feed = models.CharField(max_length=64)
    stored_at = models.DateTimeField()
    is_current = models.BooleanField(default=True)
    deleted = models.BooleanField(default=False)
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server", "resource_type", "logical_id", "number"], name="version_number_once"
            ),
            models.UniqueConstraint(
                fields=["server", "resource_type", "logical_id"],
                condition=models.Q(is_current=True),
                name="one_current_version",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "is_current", "resource_type"], name="version_by_patient"),
            models.Index(fields=["logical_id"], name="version_by_logical_id"),
            # How much is held of a patient, and since when, is asked at each question; the rows are large.
            models.Index(fields=["patient", "stored_at"], name="version_by_arrival"),
        ]

    @property
    def reference(self) -> str:
        """The resource as "Type/id"."""
        return f"{self.resource_type}/{self.logical_id}"

    @property
    def key(self) -> str:
        """What this version's ciphertext, facts, passages and citations are bound to."""
        return version_key(self.server, self.resource_type, self.logical_id, self.sha256)


def version_key(server: str, resource_type: str, logical_id: str, sha256: str) -> str:
    """Return the key of a version by its content; known before the version has a number."""
    return f"{server}|{resource_type}/{logical_id}|{sha256}"
