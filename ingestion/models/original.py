"""The bytes as they came in."""

from __future__ import annotations

from django.db import models


class Original(models.Model):
    """An encrypted object of the original store; `wrapped_key` is its own key under the master key.

    `sealed` holds the ciphertext of a small original that is kept in the row itself, so that many messages
    are durable with one commit; it is empty where the store has it.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    wrapped_key = models.BinaryField()
    received_at = models.DateTimeField()
    sealed = models.BinaryField(null=True)
