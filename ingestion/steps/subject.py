"""Whom an item names, as a keyed digest: by it all held items of one patient reference are found together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.versions import owner_reference
from clinical.ports import backends

if TYPE_CHECKING:
    from ingestion.domain.items import ResourceItem

# Literal references to a Patient: https://hl7.org/fhir/R4/references.html#literal.
_PATIENT: Final = re.compile(r"^(?:(https?://.+)/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")


def subject_digest(item: ResourceItem, resource: dict[str, Any]) -> str:
    """Return the digest of the patient reference that an item carries; "" where it names nobody.

    A Patient resource and what refers to it have the same digest. 64 hex digits.
    """
    words = _words(item, resource)
    return backends().master_key.digest(words, purpose="held subject") if words else ""


def _words(item: ResourceItem, resource: dict[str, Any]) -> str:
    if item.resource_type == "Patient":
        return f"{item.server}|{item.resource_id}"
    if "resourceType" not in resource:  # a deletion says nothing but its id
        return ""
    owner = owner_reference(resource) or {}
    reference = str(owner.get("reference", ""))
    if named := _PATIENT.match(reference):
        return f"{named[1] or item.server}|{named[2]}"
    identifier = owner.get("identifier") or {}
    if identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    return f"{item.server}|{reference}" if reference else ""
