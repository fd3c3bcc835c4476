"""A question about one patient and the stored answer, for replay and for reconnecting."""

from __future__ import annotations

import uuid

from django.db import models

from clinical.models.patient import Patient


class Question(models.Model):
    """What was asked. The id is opaque and may stand in a URL; the text is under the patient's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="questions")
    user_id = models.CharField(max_length=150)
    text = models.BinaryField()
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user_id", "patient", "-asked_at"], name="question_by_user")]


class Answer(models.Model):
    """How a question ended.

    `result` holds the whole answer as it was shown, `draft` what replay needs (prompt, passages by version,
    settings, the model's raw text); both are encrypted under the patient's key. `versions_read` counts the
    versions that the patient's record held when it was read, so that later arrivals show.
    """

    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="answer")
    outcome = models.CharField(max_length=16)
    status = models.CharField(max_length=16, blank=True)
    route = models.CharField(max_length=16, blank=True)
    model_name = models.CharField(max_length=128, blank=True)
    model_digest = models.CharField(max_length=64, blank=True)
    shown = models.PositiveIntegerField(default=0)
    withheld = models.PositiveIntegerField(default=0)
    result = models.BinaryField()
    draft = models.BinaryField()
    audit_id = models.UUIDField()
    finished_at = models.DateTimeField()
    stale_since = models.DateTimeField(null=True)
    stale_reason = models.CharField(max_length=32, blank=True)
    versions_read = models.PositiveIntegerField(null=True)


class AnswerCitation(models.Model):
    """A version an answer rests on, so that a later change can mark the answer stale."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="citations")
    version_key = models.CharField(max_length=320, db_index=True)
