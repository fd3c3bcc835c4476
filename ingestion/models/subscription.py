"""Subscriptions at the site's EHR, and the events that came or did not come."""

from __future__ import annotations

from django.db import models

from ingestion.models.ingest_job import IngestJob


class Subscription(models.Model):
    """One subscription whose notifications are received here. `secret` stands under the site's key.

    `header` is the header that carries the secret, "" where the body is signed (X-Signature). `heartbeat_s` is 0
    where none is agreed. `highest` is the highest event number known, None before the first notification.
    `pull_due_since` is set when something has to be fetched from the sender.
    """

    class Kind(models.TextChoices):
        """How its notifications look."""

        R4 = "r4"
        BACKPORT = "backport"

    name = models.CharField(max_length=40, primary_key=True)
    kind = models.CharField(max_length=12, choices=Kind)
    header = models.CharField(max_length=60, blank=True)
    secret = models.BinaryField()
    server = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    heartbeat_s = models.PositiveIntegerField(default=0)
    is_on = models.BooleanField(default=True)
    state = models.CharField(max_length=20, blank=True)
    highest = models.BigIntegerField(null=True)
    pull_due_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)


class SubscriptionEvent(models.Model):
    """One event number of a subscription. `focus` is "Type/id" as the sender names it, where it does."""

    class State(models.TextChoices):
        """Whether its content is here."""

        RECEIVED = "received"
        TO_FETCH = "to-fetch"
        MISSING = "missing"
        FETCHED = "fetched"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="events")
    number = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=State)
    focus = models.CharField(max_length=255, blank=True)
    body_sha256 = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(IngestJob, null=True, on_delete=models.SET_NULL, related_name="+")
    noted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "number"], name="event_once")]
        indexes = [models.Index(fields=["subscription", "state"], name="event_open")]
