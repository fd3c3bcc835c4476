"""Django app."""

from django.apps import AppConfig


class ClinicalConfig(AppConfig):
    """The clinical package as a Django app."""

    name = "clinical"
