"""The Medication that an order only refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clinical.models import ResourceVersion
from clinical.record.selectors import resource_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def related_to(
    resource: dict[str, Any], server: str, in_batch: Mapping[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the referred-to Medication by its reference, from this batch or from the record."""
    reference = str((resource.get("medicationReference") or {}).get("reference", ""))
    kind, _, logical_id = reference.rpartition("/")
    if kind != "Medication":
        return {}
    if reference in in_batch:
        return {reference: in_batch[reference]}
    held = ResourceVersion.objects.filter(
        server=server, resource_type=kind, logical_id=logical_id, is_current=True, deleted=False
    ).first()
    return {} if held is None else {reference: resource_of(held)}
