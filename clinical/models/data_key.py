"""Keys of the record: one a patient, wrapped by the site's master key."""

from __future__ import annotations

import uuid

from django.db import models


class DataKey(models.Model):
    """A wrapped AES-256 key. Destroying the row's `wrapped` makes all that stands under it unreadable."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    destroyed_at = models.DateTimeField(null=True)
