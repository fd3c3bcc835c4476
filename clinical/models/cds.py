"""CDS Hooks: tokens used, cards given, and what was said of them."""

from __future__ import annotations

import uuid

from django.db import models

from clinical.models.patient import Patient


class UsedToken(models.Model):
    """A client token that was used; kept until it would have expired anyway."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)


class CardGiven(models.Model):
    """A card that was returned. `topics` are digests under the patient's key of what it is about; no word is kept.

    `asked_for` is the digest of the identifier by which the call named the patient, "" where it named him otherwise:
    when a merge is undone it says to which of the two the card belongs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="cards")
    service = models.CharField(max_length=64)
    issuer = models.CharField(max_length=255)
    hook_instance = models.CharField(max_length=64)
    user_id = models.CharField(max_length=150)
    indicator = models.CharField(max_length=8)
    topics = models.JSONField(default=list)
    asked_for = models.CharField(max_length=64, blank=True)
    given_at = models.DateTimeField(db_index=True)


class CardFeedback(models.Model):
    """What a clinician did with a card; `comment` is under the patient's key. `digest` makes a repeat the same row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    card = models.ForeignKey(CardGiven, on_delete=models.CASCADE, related_name="feedback")
    digest = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    reason_code = models.CharField(max_length=64, blank=True)
    comment = models.BinaryField(default=b"")
    accepted = models.JSONField(default=list)
    outcome_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["card", "digest"], name="card_feedback_once")]

    @property
    def binding(self) -> str:
        """What the comment's ciphertext is bound to."""
        return f"feedback {self.id}"


class Handle(models.Model):
    """A single-use link from a card into the pages: opaque, short-lived, bound to user and patient."""

    digest = models.CharField(max_length=64, primary_key=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="handles")
    user_id = models.CharField(max_length=150)
    question = models.BinaryField(default=b"")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
