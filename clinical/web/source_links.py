"""The address of cited words: opaque ids and offsets, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

if TYPE_CHECKING:
    from uuid import UUID

    from clinical.domain.passages import Citation


def source_url(patient_id: UUID, citation: Citation) -> str:
    """Return where the cited words can be read."""
    span = citation.span
    offsets = urlencode({"part": span.part.value, "start": span.start, "end": span.end})
    return f"{version_url(patient_id, span.resource, span.version)}?{offsets}"


def version_url(patient_id: UUID, resource: str, version: str) -> str:
    """Return where one stored version can be read."""
    resource_type, _, logical_id = resource.partition("/")
    return reverse("source", args=[patient_id, resource_type, logical_id, version])
