"""The tables of ingestion."""

from ingestion.models.held_item import QuarantinedItem, UnassignedItem
from ingestion.models.ingest_job import IngestJob
from ingestion.models.original import Original

__all__ = ["IngestJob", "Original", "QuarantinedItem", "UnassignedItem"]
