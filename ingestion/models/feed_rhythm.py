"""How often a feed usually speaks, learnt from when it did."""

from __future__ import annotations

from django.db import models


class FeedRhythm(models.Model):
    """One feed of messages. `gaps` are its latest pauses in seconds, oldest first; bursts count as one message."""

    feed = models.CharField(max_length=64, primary_key=True)
    heard_at = models.DateTimeField()
    gaps = models.JSONField(default=list)
