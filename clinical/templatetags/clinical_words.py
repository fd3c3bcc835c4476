"""Template filters for codes that stand in lists."""

from __future__ import annotations

from django import template

from clinical.web import wording

register = template.Library()


@register.filter
def stale_in_list(reason: str) -> str:
    """Return why a saved answer may no longer hold, in a few words."""
    return wording.stale(reason, in_list=True)
