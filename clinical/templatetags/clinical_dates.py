"""Template filters for dates and ages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils import timezone

from clinical.web.dates import show_age, show_day, show_fhir, show_moment

if TYPE_CHECKING:
    from datetime import datetime

register = template.Library()


@register.filter
def fhir_date(value: str) -> str:
    """Return a FHIR date or dateTime for reading, in the site's zone."""
    return show_fhir(value or "", timezone.get_current_timezone())


@register.filter
def fhir_day(value: str) -> str:
    """Return the day of a FHIR date or dateTime for reading."""
    return show_day(value or "", timezone.get_current_timezone())


@register.filter
def moment(value: datetime | None) -> str:
    """Return a time for reading, in the site's zone."""
    return show_moment(value, timezone.get_current_timezone()) if value else ""


@register.filter
def born(value: str) -> str:
    """Return a birth date with the age: "14-Jul-1945 (61y)"; "Not known" when there is none."""
    if not value:
        return "Not known"
    age = show_age(value, timezone.localdate())
    shown = show_day(value, timezone.get_current_timezone())
    return f"{shown} ({age})" if age else shown
