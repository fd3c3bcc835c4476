"""The tables of ingestion."""

from ingestion.models.feed_rhythm import FeedRhythm
from ingestion.models.held_item import QuarantinedItem, Resolution, UnassignedItem
from ingestion.models.ingest_job import IngestJob
from ingestion.models.original import Original
from ingestion.models.reconciliation import Reconciliation
from ingestion.models.subscription import Subscription, SubscriptionEvent

__all__ = [
    "FeedRhythm",
    "IngestJob",
    "Original",
    "QuarantinedItem",
    "Reconciliation",
    "Resolution",
    "Subscription",
    "SubscriptionEvent",
    "UnassignedItem",
]
