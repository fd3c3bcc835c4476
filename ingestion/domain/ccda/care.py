"""Visits and devices.

Source: C-CDA R2.1 templates Encounter Activity (20.22.4.49), Non-Medicinal Supply Activity (20.22.4.50), Product
Instance (20.22.4.37); HL7 C-CDA on FHIR guide, encounters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, period, person, quantity
from ingestion.domain.ccda.xml import SDTC, attribute, every, one, templates, within, words
from ingestion.domain.mapped import clean, coding

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
ENCOUNTER: Final = "2.16.840.1.113883.10.20.22.4.49"
SUPPLY: Final = "2.16.840.1.113883.10.20.22.4.50"
PRODUCT: Final = "2.16.840.1.113883.10.20.22.4.37"
_PLACE: Final = "2.16.840.1.113883.10.20.22.4.32"
_INDICATION: Final = "2.16.840.1.113883.10.20.22.4.19"
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ACT_OID: Final = "2.16.840.1.113883.5.4"
_UNKNOWN: Final = coding("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK", "unknown")
_VISITS: Final = {
    "completed": "finished",
    "active": "in-progress",
    "cancelled": "cancelled",
    "aborted": "cancelled",
    "nullified": "entered-in-error",
}
_USES: Final = {
    "completed": "completed",
    "active": "active",
    "aborted": "stopped",
    "suspended": "on-hold",
    "nullified": "entered-in-error",
}


def read_encounter_activity(reading: Reading, visit: Element) -> None:
    """Add a visit that has taken place; the one the header tells of is not told twice."""
    number = reading.id_of("Encounter", visit)
    if ("Encounter", number) in reading.found or attribute(visit, "moodCode") not in ("EVN", ""):
        return
    start, end = period(one(visit, "v:effectiveTime"), reading.zone)
    alone = bool(attribute(one(visit, "v:effectiveTime")))
    status = _VISITS.get(attribute(visit, "code", "v:statusCode"), "finished" if end or alone else "unknown")
    places = [
        {"location": {"display": named}}
        for each in every(visit, "v:participant/v:participantRole")
        if _PLACE in templates(each) and (named := words(each, "v:playingEntity/v:name"))
    ]
    reasons = [
        found
        for each in every(visit, "v:entryRelationship/v:observation")
        if _INDICATION in templates(each) and (found := concept(one(each, "v:value"), reading.referred))
    ]
    disposition = concept(visit.find(f"{{{SDTC}}}dischargeDispositionCode"), reading.referred)
    doctors = [found for each in every(visit, "v:performer/v:assignedEntity") if (found := person(each))]
    reading.add(
        {
            "resourceType": "Encounter",
            "id": number,
            "identifier": reading.identifiers(visit),
            "status": status,
            "class": _class(visit),
            "type": [found] if (found := concept(one(visit, "v:code"), reading.referred)) else [],
            "subject": reading.subject(),
            "participant": [{"individual": who} for who in doctors],
            "period": clean({"start": start, "end": end or (start if alone else "")}),
            "reasonCode": reasons,
            "hospitalization": {"dischargeDisposition": disposition} if disposition else {},
            "location": places,
        }
    )


def _class(visit: Element) -> Json:
    """Return the kind of contact where a code of HL7's own set says it; the codes of bills do not."""
    for each in (*every(visit, "v:code"), *every(visit, "v:code/v:translation")):
        if attribute(each, "codeSystem") == _ACT_OID and attribute(each, "code"):
            return coding(_ACT, attribute(each, "code"), attribute(each, "displayName"))
    return _UNKNOWN


def read_supply(reading: Reading, supply: Element) -> None:
    """Add a device or aid that is used, or one that is planned."""
    devices = [found for each in within(supply, PRODUCT) if (found := _device(reading, each))]
    device = next(iter(devices), {})
    if not device:
        return
    start, end = period(one(supply, "v:effectiveTime"), reading.zone)
    mood = attribute(supply, "moodCode")
    if mood not in ("EVN", ""):
        reading.add(
            {
                "resourceType": "DeviceRequest",
                "id": reading.id_of("DeviceRequest", supply),
                "identifier": reading.identifiers(supply),
                "status": "active",
                "intent": "order" if mood == "RQO" else "plan",
                "codeReference": device,
                "subject": reading.subject(),
                "occurrenceDateTime": start,
            }
        )
        return
    amount = quantity(one(supply, "v:quantity"))
    reading.add(
        {
            "resourceType": "DeviceUseStatement",
            "id": reading.id_of("DeviceUseStatement", supply),
            "identifier": reading.identifiers(supply),
            "status": _USES.get(attribute(supply, "code", "v:statusCode"), "active"),
            "subject": reading.subject(),
            "timingPeriod": clean({"start": start, "end": end}),
            "device": device,
            "note": [{"text": f"Quantity: {amount['value']} {amount.get('unit', '')}".strip()}] if amount else [],
        }
    )


def read_devices(reading: Reading, entry: Element) -> None:
    """Add the devices of a procedure, such as what was implanted."""
    supplied = {id(product) for supply in within(entry, SUPPLY) for product in within(supply, PRODUCT)}
    for each in within(entry, PRODUCT):
        if id(each) not in supplied:
            _device(reading, each)


def _device(reading: Reading, role: Element) -> Json:
    """Add a device and return the reference to it; {} for one that is not named."""
    kind = concept(one(role, "v:playingDevice/v:code"), reading.referred)
    model = words(role, "v:playingDevice/v:manufacturerModelName")
    if not kind and not model:
        return {}
    reference = reading.add(
        {
            "resourceType": "Device",
            "id": reading.id_of("Device", role),
            "identifier": reading.identifiers(role),
            "deviceName": [{"name": model, "type": "model-name"}] if model else [],
            "type": kind,
            "patient": reading.subject(),
        }
    )
    return {"reference": reference, **({"display": kind["text"]} if kind.get("text") else {})}
