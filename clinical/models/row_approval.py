"""Approvals of clinical table rows by a named professional of the site."""

from __future__ import annotations

from django.db import models


class RowApproval(models.Model):
    """One row of one clinical table, approved as it stands: `digest` covers its whole content."""

    digest = models.CharField(max_length=64)
    table = models.CharField(max_length=64)
    row = models.CharField(max_length=128)
    approver = models.CharField(max_length=150)
    profession = models.CharField(max_length=32)
    user_id = models.CharField(max_length=150)
    approved_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=models.Q(withdrawn_at=None), name="one_standing_approval"
            ),
        ]
