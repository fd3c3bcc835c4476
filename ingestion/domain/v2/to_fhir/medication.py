"""RXO, RXE and RXD as MedicationRequest and MedicationDispense, RXA as Immunization or MedicationAdministration.

Source: HL7 Version 2 to FHIR guide, segment maps RXO/RXE[MedicationRequest], RXD[MedicationDispense],
RXA[Immunization], RXR, TQ1[Timing].
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    first_of,
    moment,
    organisation,
    person,
    place,
)
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import PharmacyGroup

Json = dict[str, Any]
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_STATUS: Final = {"revoked": "stopped"}
_REFUSED: Final = "PATOBJ"


def map_pharmacy(mapping: Mapping, group: PharmacyGroup) -> None:
    """Add what a pharmacy order group says."""
    for rxa in group.segments.get("RXA", ()):
        _administration(mapping, group, rxa)
    encoded, ordered = group.first("RXE"), group.first("RXO")
    order = encoded or ordered
    if order is not None:
        _order(mapping, group, order)
    for rxd in group.segments.get("RXD", ()):
        _dispense(mapping, group, rxd)


def _order(mapping: Mapping, group: PharmacyGroup, order: Segment) -> None:
    code = first_of(order, 2 if order.name == "RXE" else 1, concept)
    if not code:
        return
    control, filled = (group.orc.get(1), group.orc.get(5)) if group.orc else ("", "")
    status = look_up("filled_status", filled) or look_up("order_status", control, "active")
    identifiers = [one for number in (2, 3) for one in (all_of(group.orc, number, entity) if group.orc else [])]
    mapping.add(
        {
            "resourceType": "MedicationRequest",
            "id": stable_id("MedicationRequest", mapping.patient_id, group.key or order.whole(1) + order.whole(2)),
            "identifier": identifiers,
            "status": _STATUS.get(status, status),
            "intent": "order",
            "medicationCodeableConcept": code,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "authoredOn": moment(group.orc, 9, mapping.zone) if group.orc else "",
            "requester": (first_of(group.orc, 12, person) if group.orc else {})
            or first_of(order, 13 if order.name == "RXE" else 14, person),
            "reasonCode": all_of(order, 27 if order.name == "RXE" else 20, concept),
            "dosageInstruction": [one for one in (_dosage(mapping, group, order),) if one],
        },
        order,
    )


def _dosage(mapping: Mapping, group: PharmacyGroup, order: Segment) -> Json:
    """Return one Dosage: give amount and units, route, timing words, and the pharmacy's instructions."""
    low, high, unit = (3, 4, 5) if order.name == "RXE" else (2, 3, 4)
    words = [text for one in order.repetitions(7) if (text := order.part(one, 2) or order.part(one))]
    timing = _timing(mapping, group)
    text = "; ".join(filter(None, (_amount(order, low, unit), timing.get("code", {}).get("text", ""), *words)))
    dose = _quantity(order, low, unit)
    ends = clean({"low": dose, "high": _quantity(order, high, unit)})
    rate = {"doseRange": ends} if dose and "high" in ends else {"doseQuantity": dose} if dose else {}
    rxr = group.first("RXR")
    return clean(
        {
            "text": text,
            "timing": timing,
            "route": first_of(rxr, 1, concept) if rxr else {},
            "site": first_of(rxr, 2, concept) if rxr else {},
            "method": first_of(rxr, 4, concept) if rxr else {},
            "doseAndRate": [rate] if rate else [],
        }
    )


def _timing(mapping: Mapping, group: PharmacyGroup) -> Json:
    tq1 = group.first("TQ1")
    if tq1 is None:
        return {}
    code = tq1.get(3) or tq1.get(3, 1, 1)
    start, end = moment(tq1, 7, mapping.zone), moment(tq1, 8, mapping.zone)
    repeat = {"boundsPeriod": clean({"start": start, "end": end})} if start or end else {}
    words = " ".join(filter(None, (code, tq1.get(11))))
    return clean({"repeat": repeat, "code": {"text": words} if words else {}})


def _amount(order: Segment, number: int, unit: int) -> str:
    amount = order.get(number)
    return f"{amount} {order.get(unit, 2) or order.get(unit)}".strip() if amount else ""


def _quantity(segment: Segment, number: int, unit: int) -> Json:
    digits = segment.get(number)
    if not _NUMBER.fullmatch(digits):
        return {}
    return {"value": Decimal(digits), **clean({"unit": segment.get(unit, 2) or segment.get(unit)})}


def _dispense(mapping: Mapping, group: PharmacyGroup, rxd: Segment) -> None:
    code = first_of(rxd, 2, concept)
    if not code:
        return
    mapping.add(
        {
            "resourceType": "MedicationDispense",
            "id": stable_id("MedicationDispense", mapping.patient_id, group.key, rxd.get(7), rxd.get(3)),
            "identifier": [{"value": rxd.get(7)}] if rxd.get(7) else [],
            "status": "completed",
            "medicationCodeableConcept": code,
            "subject": mapping.subject(),
            "quantity": _quantity(rxd, 4, 5),
            "whenHandedOver": moment(rxd, 3, mapping.zone),
            "note": [{"text": text} for one in rxd.repetitions(9) if (text := rxd.part(one))],
        },
        rxd,
    )


def _administration(mapping: Mapping, group: PharmacyGroup, rxa: Segment) -> None:
    code = first_of(rxa, 5, concept)
    if not code:
        return
    given = moment(rxa, 3, mapping.zone)
    action = rxa.get(21).upper()
    status = "entered-in-error" if action == "D" else look_up("completion", rxa.get(20).upper(), "completed")
    reason = first_of(rxa, 18, concept)
    rxr = group.first("RXR")
    vaccine = any("cvx" in one.get("system", "") for one in code.get("coding", ())) or mapping.message.type[0] == "VXU"
    number = group.orc.get(3) or group.orc.get(2) if group.orc else ""
    shared: Json = {
        "identifier": [one for field in (3, 2) for one in (all_of(group.orc, field, entity) if group.orc else [])],
        "status": status,
        "statusReason": reason if status == "not-done" else {},
    }
    name = "Immunization" if vaccine else "MedicationAdministration"
    identity = {"resourceType": name, "id": stable_id(name, mapping.patient_id, number, rxa.get(5), given)}
    resource: Json
    if not vaccine:
        amount = _quantity(rxa, 6, 7)
        shared["statusReason"] = [reason] if shared["statusReason"] else []
        resource = {
            **identity,
            **shared,
            "medicationCodeableConcept": code,
            "subject": mapping.subject(),
            "effectiveDateTime": given,
            "dosage": clean({"dose": amount, "route": first_of(rxr, 1, concept) if rxr else {}}),
        }
    else:
        resource = {
            **identity,
            **shared,
            "vaccineCode": code,
            "patient": mapping.subject(),
            "encounter": mapping.encounter(),
            "occurrenceDateTime": given,
            **({} if given else {"occurrenceString": "not stated"}),
            "primarySource": rxa.get(9) in ("", "00"),
            "reportOrigin": first_of(rxa, 9, concept) if rxa.get(9) not in ("", "00") else {},
            "location": {"display": where} if (where := place(rxa, rxa.raw(11))) else {},
            "manufacturer": first_of(rxa, 17, _as_organisation),
            "lotNumber": rxa.get(15),
            "expirationDate": moment(rxa, 16, mapping.zone)[:10],
            "site": first_of(rxr, 2, concept) if rxr else {},
            "route": first_of(rxr, 1, concept) if rxr else {},
            "doseQuantity": _quantity(rxa, 6, 7) if rxa.get(6) not in ("999", "0") else {},
            "performer": [
                {"function": {"coding": [coding(V2_TABLE + "0443", "AP")]}, "actor": one}
                for one in all_of(rxa, 10, person)
            ],
            "reasonCode": all_of(rxa, 19, concept),
            "note": [{"text": _REFUSED}] if rxa.get(18) == _REFUSED else [],
        }
    mapping.add(resource, rxa)


def _as_organisation(segment: Segment, repetition: str) -> Json:
    name = segment.part(repetition, 2) or segment.part(repetition, 1)
    return organisation(segment, name) if name else {}
