"""SCH with its resources as Appointment.

Source: HL7 Version 2 to FHIR guide, message SIU_S12, segment maps SCH, AIS, AIG, AIL, AIP [Appointment].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import coding, stable_id
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir.datatypes import all_of, concept, entity, first_of, instant, person, place
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_RESOURCES: Final = frozenset({"AIS", "AIG", "AIL", "AIP"})
# Where each says when it begins; its status stands six fields on.
_STARTS: Final = {"AIG": 8, "AIL": 6, "AIP": 6}
_TYPES: Final = "urn:clinical-appliance:appointment-contact"


def map_appointment(mapping: Mapping, sch: Segment, others: Sequence[Segment]) -> None:
    """Add the appointment; `others` are the message's further segments, in order."""
    number = sch.get(2) or sch.get(1)
    if not number:
        return
    event = mapping.message.type[1]
    status = look_up("appointment_event", event, "booked")
    said = look_up("appointment_status", sch.get(25).upper())
    timed = next((one for one in others if one.name == "TQ1" and one.get(7)), None)
    placed = next((one for one in others if one.name in _RESOURCES and one.get(_start_of(one))), None)
    start = (instant(timed, 7, mapping.zone) if timed else "") or _component(mapping, sch, 4)
    start = start or (instant(placed, _start_of(placed), mapping.zone) if placed else "")
    end = (instant(timed, 8, mapping.zone) if timed else "") or _component(mapping, sch, 5)
    minutes = sch.get(9)
    participants: list[Json] = [{"actor": mapping.subject(), "status": "accepted"}] if mapping.patient_id else []
    participants += [one for segment in others for one in _participants(mapping, segment)]
    participants += [
        {"type": [{"coding": [coding(_TYPES, role)]}], "actor": one, "status": "accepted"}
        for field, role in ((12, "placer"), (16, "filler"), (20, "ENT"))
        for one in all_of(sch, field, person)
    ]
    mapping.add(
        {
            "resourceType": "Appointment",
            "id": stable_id("Appointment", mapping.patient_id, number),
            "identifier": [one for field in (1, 2) for one in all_of(sch, field, entity)],
            "status": said if said and status == "booked" else status,
            "serviceType": [found for one in others if one.name == "AIS" and (found := first_of(one, 3, concept))],
            "appointmentType": first_of(sch, 8, concept),
            "reasonCode": [one for field in (7, 6) if (one := first_of(sch, field, concept))],
            # Both ends or neither (app-2, app-3 allow a missing time only before it is booked).
            **({"start": start, "end": end} if start and end else {"start": start} if start else {}),
            **(
                {"minutesDuration": int(minutes)} if minutes.isdecimal() and sch.get(10).lower() in ("min", "m") else {}
            ),
            "basedOn": [
                {"type": "ServiceRequest", "identifier": one}
                for field in (26, 27)
                for one in all_of(sch, field, entity)
            ],
            "comment": "; ".join(
                text for one in others if one.name == "NTE" for text in (one.whole(3).strip(),) if text
            ),
            "participant": participants or [{"status": "needs-action"}],
        },
        sch,
    )


def _start_of(segment: Segment) -> int:
    return _STARTS.get(segment.name, 4)


def _component(mapping: Mapping, sch: Segment, component: int) -> str:
    """Return start (4) or end (5) of the older timing field SCH-11."""
    found = date_time(sch.get(11, component), mapping.zone)
    return found if "T" in found else ""


def _participants(mapping: Mapping, segment: Segment) -> list[Json]:
    """Return who and what takes part: AIP a person, AIL a place, AIG a thing; with kind and period."""
    if segment.name not in _STARTS:
        return []
    match segment.name:
        case "AIP":
            actors = all_of(segment, 3, person)
        case "AIL":
            actors = [{"display": words} for one in segment.repetitions(3) if (words := place(segment, one))]
        case _:
            actors = [{"display": one.get("text") or one["coding"][0]["code"]} for one in all_of(segment, 3, concept)]
    kind = first_of(segment, 4, concept)
    start = instant(segment, _STARTS[segment.name], mapping.zone)
    status = look_up("participant_status", segment.get(_STARTS[segment.name] + 6).upper(), "accepted")
    period = {"period": {"start": start}} if start else {}
    return [{**({"type": [kind]} if kind else {}), "actor": one, "status": status, **period} for one in actors]
