"""Django app."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    """The ingestion package as a Django app."""

    name = "ingestion"
