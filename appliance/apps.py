"""Django app."""

from django.apps import AppConfig


class ApplianceConfig(AppConfig):
    """The appliance package as a Django app."""

    name = "appliance"
