"""The CapabilityStatement: what this door takes, and that it gives nothing back.

Source: HL7 FHIR R4 4.0.1, CapabilityStatement (https://hl7.org/fhir/R4/capabilitystatement.html).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.r4.tables import tables

if TYPE_CHECKING:
    from datetime import datetime

NOT_KEPT: Final = frozenset({"Bundle", "Parameters", "OperationOutcome"})
"""Types that carry others or speak of a request; none of them is part of a record."""
_TAKES: Final = (
    "Takes records in. Ids and versions are those of the sending system; the same content again changes nothing, and "
    "an older version never replaces a newer one. Conditional interactions are refused."
)


@cache
def taken_types() -> tuple[str, ...]:
    """Return the resource types that are taken in, in alphabetical order."""
    return tuple(sorted(tables().resources - NOT_KEPT))


def capability_statement(*, base: str, version: str, now: datetime) -> dict[str, Any]:
    """Return the statement.

    Args:
        base: the door's base URL, without a slash at its end.
        version: of this software.
        now: timezone-aware.
    """
    codes = [{"code": "create"}, {"code": "update"}, {"code": "delete"}]
    resources = [
        {
            "type": name,
            "interaction": codes,
            "versioning": "no-version",
            "readHistory": False,
            "updateCreate": True,
            "conditionalCreate": False,
            "conditionalUpdate": False,
            "conditionalDelete": "not-supported",
        }
        for name in taken_types()
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "Clinical assistant appliance", "version": version},
        "implementation": {"description": "Record intake of a clinical assistant", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _TAKES,
                "security": {"description": "A bearer token of a registered client; metadata needs none."},
                "resource": resources,
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
        "messaging": [{"documentation": "Messages are posted to the base address and answered with a message."}],
    }
