"""The trail: append-only, hash-chained, references and digests only."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AuditEvent(models.Model):
    """One row of the trail. Held in its own database; never patient text."""

    seq = models.BigIntegerField(primary_key=True)
    id = models.UUIDField(unique=True)
    recorded_at = models.DateTimeField()
    action = models.CharField(max_length=40)
    outcome = models.CharField(max_length=16)
    user_id = models.CharField(max_length=150)
    on_behalf_of = models.CharField(max_length=150, blank=True)
    patient_id = models.CharField(max_length=36, blank=True, db_index=True)
    purpose = models.CharField(max_length=16, blank=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only.

        Raises:
            TypeError: the row exists already.
        """
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        raise TypeError("the audit trail is append-only")
