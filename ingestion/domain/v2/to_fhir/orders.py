"""Orders: ORC, OBR and TQ1 as ServiceRequest; NTE as Annotation.

Source: HL7 Version 2 to FHIR guide, segment maps ORC[ServiceRequest], OBR[ServiceRequest], TQ1[ServiceRequest], NTE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    first_of,
    identifier,
    moment,
    organisation,
    person,
    telecom,
)
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up
from ingestion.domain.v2.to_fhir.timing import priority_of, timing_of, timing_of_field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import OrderGroup

Json = dict[str, Any]
_CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def map_request(mapping: Mapping, group: OrderGroup, specimens: Sequence[str] = ()) -> str:
    """Add the ServiceRequest; "" where neither segment says what was ordered or by which number."""
    orc, obr = group.orc, group.obr
    segment = obr or orc
    code = first_of(obr, 4, concept) if obr else {}
    if segment is None or not (group.key or code):
        return ""
    control, filled = (orc.get(1), orc.get(5)) if orc else ("", "")
    status = look_up("filled_status", filled) or look_up("order_status", control, "active")
    return mapping.add(
        {
            "resourceType": "ServiceRequest",
            "id": stable_id("ServiceRequest", mapping.patient_id, group.ordered_as or segment.get(4)),
            "security": security_of(orc),
            "identifier": _numbers(group),
            "basedOn": _parents(orc, 8) or _parents(obr, 54) or _parents(obr, 29),
            "requisition": _typed(first_of(orc, 4, entity), "PGN") if orc else {},
            "status": status,
            "intent": "reflex-order" if obr and obr.get(11).upper() == "G" else "order",
            "priority": priority_of(obr.get(5) if obr else "", *(tq1.get(9) for tq1 in group.timings)),
            "code": code,
            "orderDetail": [one for field in (46, 47) for one in all_of(obr, field, concept)] if obr else [],
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            **_occurrence(group, mapping.zone),
            "authoredOn": moment(orc, 9, mapping.zone) if orc else "",
            "requester": requester_of(orc, obr),
            "locationCode": all_of(orc, 29, concept) if orc else [],
            "reasonCode": all_of(obr, 31, concept) if obr else [],
            "specimen": [{"reference": one} for one in specimens],
            "note": [*_remarks(group), *(found for nte in group.notes if (found := note_of(nte, mapping.zone)))],
        },
        segment,
        rank=0,
    )


def _numbers(group: OrderGroup) -> list[Json]:
    found = [
        _typed(entity(*number), kind)
        for of, kind in (("placer", "PLAC"), ("filler", "FILL"))
        if (number := group.number(of))
    ]
    other = (group.obr and all_of(group.obr, 53, identifier)) or (group.orc and all_of(group.orc, 33, identifier)) or []
    return [*found, *other]


def _typed(number: Json, kind: str) -> Json:
    return {"type": {"coding": [coding(V2_TABLE + "0203", kind)]}, **number} if number else {}


def _parents(segment: Segment | None, field: int) -> list[Json]:
    """Return the parent order of an EIP field: its placer's number and its filler's."""
    found = []
    for repetition in segment.repetitions(field) if segment else ():
        for component, kind in ((1, "PLAC"), (2, "FILL")):
            value = segment.part(repetition, component) if segment else ""
            if value:
                found.append({"type": "ServiceRequest", "identifier": _typed({"value": value}, kind)})
    return found


def _occurrence(group: OrderGroup, zone: ZoneInfo) -> Json:
    """Return when it is to be done: as TQ1, or an older timing field, says it, with the date of OBR-6."""
    obr, orc = group.obr, group.orc
    timing = next((found for tq1 in group.timings if (found := timing_of(tq1, zone))), {})
    timing = timing or (timing_of_field(orc, 7, zone) if orc else {}) or (timing_of_field(obr, 27, zone) if obr else {})
    requested = moment(obr, 6, zone) if obr else ""
    if not timing:
        return {"occurrenceDateTime": requested}
    return {"occurrenceTiming": {**({"event": [requested]} if requested else {}), **timing}}


def requester_of(orc: Segment | None, obr: Segment | None = None, otherwise: Json | None = None) -> Json:
    """Return who ordered, with where from in words; OBR-16 speaks before ORC-12, `otherwise` where both are silent."""
    who = (obr and first_of(obr, 16, person)) or (orc and first_of(orc, 12, person)) or otherwise or {}
    place = first_of(orc, 21, organisation).get("display", "") if orc else ""
    if not place:
        return who
    display = f"{who['display']}, {place}" if who.get("display") else place
    return {**who, "display": display}


def security_of(orc: Segment | None) -> list[Json]:
    """Return the label of an order marked as restricted or very restricted (ORC-28); its results bear it too."""
    code = look_up("confidentiality", orc.get(28).upper()) if orc else ""
    return [coding(_CONFIDENTIALITY, code)] if code in ("R", "V") else []


def _remarks(group: OrderGroup) -> list[Json]:
    """Return what has no element of its own: clinical information, what the placer and filler wrote, call-backs."""
    obr, orc = group.obr, group.orc
    asked = [("Clinical information", obr, 13), ("Danger", obr, 12), ("Result handling", obr, 49)]
    words = [
        f"{name}: {text}"
        for name, segment, field in asked
        if segment
        for one in all_of(segment, field, concept)
        if (text := one.get("text") or one["coding"][0]["code"])
    ]
    words += [f"Condition: {text}" for tq1 in group.timings if (text := tq1.get(10))]
    phones = (obr and all_of(obr, 17, telecom)) or (orc and all_of(orc, 14, telecom)) or []
    words += [f"Call back: {one['value']}" for one in phones]
    words += [
        f"Reason for the order control: {one.get('text', '')}" for one in (all_of(orc, 16, concept) if orc else ())
    ]
    return [{"text": text} for text in words]


def note_of(nte: Segment, zone: ZoneInfo) -> Json:
    """Return a comment as Annotation, {} for one without words."""
    text = "\n".join(nte.plain(one) for one in nte.repetitions(3)).strip()
    author = first_of(nte, 5, person)
    time = moment(nte, 6, zone) or moment(nte, 7, zone)
    return clean({"authorString": author.get("display", ""), "time": time, "text": text}) if text else {}
