"""FHIR R4 resources to typed rows, rebuilt from the stored versions at will.

`project` reads one resource; `to_payload` and `read_payload` keep a row in the database.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from clinical.domain.projection.elements import as_str
from clinical.domain.projection.medication import project_medication
from clinical.domain.projection.observation import project_observation
from clinical.domain.projection.others import (
    project_encounter,
    project_generic,
    project_patient,
    project_plan,
    project_report,
)
from clinical.domain.projection.payload import UnknownKindError, from_payload, read_payload, to_payload
from clinical.domain.projection.resuscitation import project_code_status
from clinical.domain.projection.statements import (
    project_allergy,
    project_condition,
    project_family,
    project_immunization,
    project_procedure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clinical.domain.projection.rows import TypedRow

__all__ = ["UnknownKindError", "from_payload", "project", "read_payload", "to_payload"]

_NOTHING_RELATED: Mapping[str, dict[str, Any]] = MappingProxyType({})
_BY_TYPE: Mapping[str, Callable[[dict[str, Any]], Sequence[TypedRow]]] = MappingProxyType(
    {
        "AllergyIntolerance": project_allergy,
        "Condition": project_condition,
        "Immunization": project_immunization,
        "Procedure": project_procedure,
        "FamilyMemberHistory": project_family,
        "Patient": project_patient,
        "Encounter": project_encounter,
        "DiagnosticReport": project_report,
        "CarePlan": project_plan,
        "Goal": project_plan,
        "ServiceRequest": project_plan,
    }
)
_MEDICATIONS = frozenset({
    "MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense",
})  # fmt: skip


def project(resource: dict[str, Any], related: Mapping[str, dict[str, Any]] = _NOTHING_RELATED) -> list[TypedRow]:
    """Return what the resource states as data, at least one row.

    An Observation gives a row for itself and one for each component; a resource about resuscitation
    a code-status row beside its own.

    Args:
        resource: one FHIR R4 resource. Parse it with `json.loads(text, parse_float=Decimal)`, so that
            "7.20" keeps its digits; with floats trailing zeros are lost before this function.
        related: resources by "Type/id" (or the reference as written), to name a drug or a reason
            that is only referred to. Contained resources are found without it.
    """
    kind = as_str(resource.get("resourceType"))
    rows: list[TypedRow] = []
    if kind == "Observation":
        rows.extend(project_observation(resource, related))
    elif kind in _MEDICATIONS:
        rows.extend(project_medication(resource, related))
    else:
        rows.extend(_BY_TYPE.get(kind, project_generic)(resource))
    rows.extend(project_code_status(resource))
    return rows
