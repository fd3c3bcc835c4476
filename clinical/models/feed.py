"""The ways records come in, and when each last spoke."""

from __future__ import annotations

from django.db import models


class Feed(models.Model):
    """One source of records. `last_message_at` is when its last message was taken in."""

    name = models.CharField(max_length=64, primary_key=True)
    last_message_at = models.DateTimeField()
