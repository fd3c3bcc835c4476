"""RXO, RXE and RXC as MedicationRequest, RXD as MedicationDispense.

Source: HL7 Version 2 to FHIR guide, segment maps RXO[MedicationRequest], RXR[MedicationRequest] and
TQ1[MedicationRequest]; RXE and RXD by the same rules. Where a message holds the order as written (RXO) and as the
pharmacy encoded it (RXE), the encoded one is in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, stable_id
from ingestion.domain.v2.times import day_of
from ingestion.domain.v2.to_fhir.administration import map_administration
from ingestion.domain.v2.to_fhir.datatypes import (
    address,
    all_of,
    concept,
    entity,
    first_of,
    moment,
    organisation_of_code,
    person,
    telecom,
)
from ingestion.domain.v2.to_fhir.dosage import dosage_of
from ingestion.domain.v2.to_fhir.orders import note_of, requester_of, security_of
from ingestion.domain.v2.to_fhir.quantities import quantity
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up
from ingestion.domain.v2.to_fhir.timing import priority_of

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.datatypes import Convert
    from ingestion.domain.v2.to_fhir.grouping import PharmacyGroup

Json = dict[str, Any]
_STATUS: Final = {"revoked": "stopped"}
# Where RXO and RXE have the same thing.
_FIELDS: Final = {
    "RXO": {"code": 1, "form": 5, "to_pharmacy": 6, "substitution": 9, "amount": 11, "refills": 13, "orderer": 14,
            "strength": 18, "indication": 20, "pharmacy": 32},
    "RXE": {"code": 2, "form": 6, "to_pharmacy": 21, "substitution": 9, "amount": 10, "refills": 12, "orderer": 13,
            "strength": 25, "indication": 27, "pharmacy": 40},
}  # fmt: skip


# ORC-1 of a dispense (table 0119) that says it was not handed over after all.
_HANDED_OVER: Final = {
    "CA": "cancelled", "OC": "cancelled", "CR": "cancelled", "DC": "stopped", "OD": "stopped", "DR": "stopped",
    "HD": "on-hold", "OH": "on-hold", "HR": "on-hold", "DE": "entered-in-error",
}  # fmt: skip


def map_pharmacy(mapping: Mapping, group: PharmacyGroup) -> None:
    """Add what a pharmacy order group says."""
    for rxa in group.segments.get("RXA", ()):
        map_administration(mapping, group, rxa)
    encoded, ordered = group.first("RXE"), group.first("RXO")
    order = encoded or ordered
    if order is not None:
        _order(mapping, group, order, written=ordered if encoded is not None else None)
    for rxd in group.segments.get("RXD", ()):
        _dispense(mapping, group, rxd)


def _order(mapping: Mapping, group: PharmacyGroup, order: Segment, *, written: Segment | None) -> None:
    """Add an order; `written` is the RXO over an RXE, whose words are kept with the order in force."""
    at = _FIELDS[order.name]
    code = first_of(order, at["code"], concept)
    if not code:
        return
    orc = group.orc
    control, filled = (orc.get(1), orc.get(5)) if orc else ("", "")
    status = look_up("filled_status", filled) or look_up("order_status", control, "active")
    identifiers = [one for number in (2, 3) for one in (all_of(orc, number, entity) if orc else [])]
    if order.name == "RXE" and order.get(15):
        identifiers.append({"type": {"text": "prescription number"}, "value": order.get(15)})
    key = group.key or order.whole(1) + order.whole(2)
    dosage = dosage_of(mapping, group, order)
    asked = [(order, at), *([(written, _FIELDS["RXO"])] if written is not None else [])]
    mapping.add(
        {
            "resourceType": "MedicationRequest",
            "id": stable_id("MedicationRequest", mapping.patient_id, key),
            "security": security_of(orc),
            "identifier": identifiers,
            "status": _STATUS.get(status, status),
            "statusReason": first_of(orc, 16, concept) if orc else {},
            "intent": "order",
            "priority": priority_of(*(tq1.get(9) for tq1 in group.segments.get("TQ1", ()))),
            "medicationCodeableConcept": code,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "authoredOn": moment(orc, 9, mapping.zone) if orc else "",
            "requester": requester_of(orc, otherwise=_first(asked, "orderer", person)),
            "reasonCode": all_of(order, at["indication"], concept)
            or (all_of(written, _FIELDS["RXO"]["indication"], concept) if written is not None else []),
            "groupIdentifier": first_of(orc, 4, entity) if orc else {},
            "note": [
                *_remarks(order),
                *(_as_written(mapping, group, written) if written is not None else ()),
                *_mixture(mapping, group),
            ],
            "dosageInstruction": [dosage] if dosage else [],
            "dispenseRequest": _supply(order, at),
            "substitution": _substitution(order.get(at["substitution"])),
        },
        order,
    )


def _supply(order: Segment, at: dict[str, int]) -> Json:
    refills = order.get(at["refills"])
    return clean(
        {
            "numberOfRepeatsAllowed": int(refills) if refills.isdecimal() else "",
            "quantity": quantity(order, at["amount"], at["amount"] + 1),
            "performer": _pharmacy(order, at),
        }
    )


def _pharmacy(order: Segment, at: dict[str, int]) -> Json:
    """Return the dispensing pharmacy, its address and number in words."""
    found = first_of(order, at["pharmacy"], organisation_of_code)
    where = first_of(order, at["pharmacy"] + 1, address)
    phone = first_of(order, 45 if order.name == "RXE" else 36, telecom)
    parts = [found.get("display", ""), *where.get("line", ()), where.get("city", ""), phone.get("value", "")]
    display = ", ".join(filter(None, parts))
    return {**found, "display": display} if display else found


def _substitution(code: str) -> Json:
    """Return whether another product may be given: HL7 table 0161 (allow substitution)."""
    if not code:
        return {}
    known = {"N": "not authorised", "G": "generic substitutions allowed", "T": "therapeutic substitutions allowed"}
    found = {"system": V2_TABLE + "0161", "code": code, **clean({"display": known.get(code.upper(), "")})}
    return {"allowedCodeableConcept": {"coding": [found]}}


def _first(asked: list[tuple[Segment, dict[str, int]]], name: str, convert: Convert) -> Json:
    """Return what the first of these segments says that says it."""
    return next((found for segment, at in asked if (found := first_of(segment, at[name], convert))), {})


def _remarks(order: Segment) -> list[Json]:
    """Return the form and strength, and what was written to the pharmacy, in words."""
    at = _FIELDS[order.name]
    words = [f"Form: {form}" for form in _texts(order, at["form"])]
    if order.get(at["strength"]):
        strength = at["strength"]
        unit = order.get(strength + 1, 2) or order.get(strength + 1)
        words.append(f"Strength: {order.get(strength)} {unit}".strip())
    return [
        {"text": text} for text in (*words, *(f"To the pharmacy: {one}" for one in _texts(order, at["to_pharmacy"])))
    ]


def _as_written(mapping: Mapping, group: PharmacyGroup, rxo: Segment) -> list[Json]:
    """Return what the prescriber wrote, in words, beside what the pharmacy made of it."""
    what = next(iter(_texts(rxo, 1)), "")
    code = rxo.get(1)
    named = f"{what} ({code})" if what and code and what != code else what
    how = dosage_of(mapping, group, rxo).get("text", "")
    refills = f"refills: {rxo.get(13)}" if rxo.get(13) else ""
    supply = " ".join(filter(None, (rxo.get(11), rxo.get(12, 2) or rxo.get(12))))
    text = "; ".join(filter(None, (named, how, f"dispense {supply}" if supply else "", refills)))
    return [*([{"text": f"As ordered: {text}"}] if text else []), *_remarks(rxo)]


def _mixture(mapping: Mapping, group: PharmacyGroup) -> list[Json]:
    found = [{"text": text} for rxc in group.segments.get("RXC", ()) if (text := _component(rxc))]
    return found + [note for nte in group.notes if (note := note_of(nte, mapping.zone))]


def _texts(segment: Segment, field: int) -> list[str]:
    return [text for one in segment.repetitions(field) if (text := segment.part(one, 2) or segment.part(one, 1))]


def _component(rxc: Segment) -> str:
    """Return a component of a mixture: base or additive, what, how much, and its strength."""
    kind = {"A": "Additive", "B": "Base"}.get(rxc.get(1).upper(), "Component")
    what = rxc.get(2, 2) or rxc.get(2)
    amount = " ".join(filter(None, (rxc.get(3), rxc.get(4, 2) or rxc.get(4))))
    strength = " ".join(filter(None, (rxc.get(5), rxc.get(6, 2) or rxc.get(6))))
    more = ", ".join(filter(None, (amount, strength)))
    return f"{kind}: {what}" + (f", {more}" if more else "") if what else ""


def _dispense(mapping: Mapping, group: PharmacyGroup, rxd: Segment) -> None:
    code = first_of(rxd, 2, concept)
    if not code:
        return
    mapping.add(
        {
            "resourceType": "MedicationDispense",
            "id": stable_id("MedicationDispense", mapping.patient_id, group.key, rxd.get(7), rxd.get(3)),
            "identifier": [{"value": rxd.get(7)}] if rxd.get(7) else [],
            "status": _HANDED_OVER.get(group.orc.get(1).upper() if group.orc else "", "completed"),
            "medicationCodeableConcept": code,
            "context": mapping.encounter(),
            "subject": mapping.subject(),
            "performer": [{"actor": one} for one in all_of(rxd, 10, person)],
            "authorizingPrescription": _prescription(mapping, group),
            "quantity": quantity(rxd, 4, 5),
            "whenHandedOver": moment(rxd, 3, mapping.zone),
            "dosageInstruction": [found] if (found := _given_by(group)) else [],
            "note": [
                {"text": text}
                for text in (
                    *_texts(rxd, 9),
                    *(f"Form: {form}" for form in _texts(rxd, 6)),
                    *(f"Lot: {lot}" for lot in _texts(rxd, 18)),
                    *([f"Expires: {day_of(rxd.get(19)) or rxd.get(19)}"] if rxd.get(19) else []),
                )
            ],
        },
        rxd,
    )


def _given_by(group: PharmacyGroup) -> Json:
    """Return route, site and method of a dispense."""
    rxr = group.last("RXR")
    if rxr is None:
        return {}
    return clean({name: first_of(rxr, field, concept) for name, field in (("route", 1), ("site", 2), ("method", 4))})


def _prescription(mapping: Mapping, group: PharmacyGroup) -> list[Json]:
    """Return the order of the same group, where it was mapped."""
    held = (
        ("MedicationRequest", stable_id("MedicationRequest", mapping.patient_id, group.key)) if group.key else ("", "")
    )
    return [{"reference": "/".join(held)}] if held in mapping.resources else []
