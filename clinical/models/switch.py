"""Switches that the site's people turn while the appliance runs."""

from __future__ import annotations

from django.db import models


class Switch(models.Model):
    """A named switch. One that was never turned has no row and stands at its default."""

    name = models.CharField(max_length=32, primary_key=True)
    is_on = models.BooleanField()
    reason = models.CharField(max_length=200, blank=True)
    user_id = models.CharField(max_length=150)
    changed_at = models.DateTimeField()
