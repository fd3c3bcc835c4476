"""What was deleted from the record, why, when, and what was counted before and after."""

from __future__ import annotations

import uuid

from django.db import models


class DeletionReceipt(models.Model):
    """One deletion, kept after what it deleted is gone; references, codes and counts only.

    `patient_id` and `resource` ("Type/id", empty for a whole patient) are opaque references without a
    foreign key. `before` and `after` are counts by kind of thing ("versions", "passages", "vectors" ...).
    """

    class Kind(models.TextChoices):
        """What was deleted."""

        PATIENT = "patient"
        RESOURCE = "resource"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    patient_id = models.UUIDField(null=True, db_index=True)
    resource = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=64)
    user_id = models.CharField(max_length=150)
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    audit_id = models.UUIDField(null=True)
