"""RXA as Immunization or MedicationAdministration.

Source: HL7 Version 2 to FHIR guide, segment maps RXA[Immunization], RXR[Immunization], ORC[Immunization]; CDC's
Immunization guide 1.5 for RXA-9 and the observations under an immunization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    address,
    all_of,
    concept,
    entity,
    first_of,
    moment,
    organisation_of_code,
    person,
    place,
)
from ingestion.domain.v2.to_fhir.orders import note_of
from ingestion.domain.v2.to_fhir.quantities import quantity
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import PharmacyGroup

Json = dict[str, Any]
_REFUSED: Final = "PATOBJ"
_NO_VACCINE: Final = "998"  # CVX: no vaccine was given
# Amounts that say "not known" (999) and "none" (0): CDC Immunization guide, RXA-6.
_NO_AMOUNT: Final = ("999", "0")


def map_administration(mapping: Mapping, group: PharmacyGroup, rxa: Segment) -> None:
    """Add what was given, or was not."""
    code = first_of(rxa, 5, concept)
    if not code:
        return
    given = moment(rxa, 3, mapping.zone)
    action = rxa.get(21).upper()
    nothing = rxa.get(5) == _NO_VACCINE and not rxa.get(20)
    status = look_up("completion", rxa.get(20).upper(), "not-done" if nothing else "completed")
    status = "entered-in-error" if action == "D" else status
    vaccine = any("cvx" in one.get("system", "") for one in code.get("coding", ())) or mapping.message.type[0] == "VXU"
    number = group.orc.get(3) or group.orc.get(2) if group.orc else ""
    name = "Immunization" if vaccine else "MedicationAdministration"
    resource: Json = {
        "resourceType": name,
        "id": stable_id(name, mapping.patient_id, number, rxa.get(5), given),
        "identifier": [one for field in (3, 2) for one in (all_of(group.orc, field, entity) if group.orc else [])],
        "status": status,
        **(_immunization if vaccine else _medication)(mapping, group, rxa, status),
    }
    notes = [found for nte in group.notes if (found := note_of(nte, mapping.zone))]
    resource["note"] = [*resource.get("note", ()), *notes]
    mapping.add(resource, rxa)


def _medication(mapping: Mapping, group: PharmacyGroup, rxa: Segment, status: str) -> Json:
    start, end = moment(rxa, 3, mapping.zone), moment(rxa, 4, mapping.zone)
    rxr = group.first("RXR")
    reason = first_of(rxa, 18, concept)
    lot = rxa.get(15)
    return {
        "statusReason": [reason] if reason and status == "not-done" else [],
        "medicationCodeableConcept": first_of(rxa, 5, concept),
        "subject": mapping.subject(),
        "context": mapping.encounter(),
        **({"effectivePeriod": {"start": start, "end": end}} if start and end and end != start else {}),
        **({"effectiveDateTime": start} if start and (not end or end == start) else {}),
        "performer": [{"actor": one} for one in all_of(rxa, 10, person)],
        "reasonCode": all_of(rxa, 19, concept),
        "dosage": clean(
            {
                "text": rxa.get(9, 2) or rxa.get(9),
                "site": first_of(rxr, 2, concept) if rxr else {},
                "route": first_of(rxr, 1, concept) if rxr else {},
                "method": first_of(rxr, 4, concept) if rxr else {},
                "dose": quantity(rxa, 6, 7),
            }
        ),
        "note": [{"text": f"Lot {lot}"}] if lot else [],
    }


def _immunization(mapping: Mapping, group: PharmacyGroup, rxa: Segment, status: str) -> Json:
    rxr = group.first("RXR")
    given = moment(rxa, 3, mapping.zone)
    reason = first_of(rxa, 18, concept)
    source = rxa.get(9)
    performers = [_performer("AP", one) for one in all_of(rxa, 10, person)]
    if group.orc is not None:
        performers += [_performer("OP", one) for one in all_of(group.orc, 12, person)]
        performers += [_performer("EP", one) for one in all_of(group.orc, 10, person)]
    return {
        "statusReason": reason if status == "not-done" else {},
        "vaccineCode": first_of(rxa, 5, concept),
        "patient": mapping.subject(),
        "encounter": mapping.encounter(),
        "occurrenceDateTime": given,
        **({} if given else {"occurrenceString": "not stated"}),
        "recorded": moment(rxa, 22, mapping.zone) or (moment(group.orc, 9, mapping.zone) if group.orc else ""),
        "primarySource": source in ("", "00"),
        "reportOrigin": first_of(rxa, 9, concept) if source else {},
        "location": _where(rxa),
        "manufacturer": first_of(rxa, 17, organisation_of_code),
        "lotNumber": rxa.get(15),
        "expirationDate": moment(rxa, 16, mapping.zone)[:10],
        "site": first_of(rxr, 2, concept) if rxr else {},
        "route": first_of(rxr, 1, concept) if rxr else {},
        "doseQuantity": quantity(rxa, 6, 7) if rxa.get(6) not in _NO_AMOUNT else {},
        "performer": performers,
        "reasonCode": all_of(rxa, 19, concept),
        "note": [{"text": _REFUSED}] if rxa.get(18) == _REFUSED else [],
    }


def _performer(role: str, who: Json) -> Json:
    return {"function": {"coding": [coding(V2_TABLE + "0443", role)]}, "actor": who}


def _where(rxa: Segment) -> Json:
    """Return where it was given: RXA-27, else the older RXA-11, with the address in words."""
    words = "; ".join(filter(None, dict.fromkeys(place(rxa, rxa.raw(field)) for field in (27, 11))))
    at = first_of(rxa, 28, address)
    parts = [*at.get("line", ()), *(at[key] for key in ("city", "state", "postalCode", "country") if key in at)]
    display = "; ".join(filter(None, (words, ", ".join(parts))))
    return {"display": display} if display else {}
