"""SCH with its resources as Appointment.

Source: HL7 Version 2 to FHIR guide, message SIU_S12, segment maps SCH, AIS, AIG, AIL, AIP [Appointment].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import stable_id
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir.datatypes import all_of, concept, entity, first_of, instant, person, place
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_RESOURCES: Final = frozenset({"AIS", "AIG", "AIL", "AIP"})


def map_appointment(mapping: Mapping, sch: Segment, others: Sequence[Segment]) -> None:
    """Add the appointment; `others` are the message's further segments, in order."""
    number = sch.get(2) or sch.get(1)
    if not number:
        return
    event = mapping.message.type[1]
    status = look_up("appointment_event", event, "booked")
    said = look_up("appointment_status", sch.get(25).upper())
    timed = next((one for one in others if one.name == "TQ1" and one.get(7)), None)
    placed = next((one for one in others if one.name in _RESOURCES and one.get(4 if one.name == "AIS" else 6)), None)
    start = (instant(timed, 7, mapping.zone) if timed else "") or _component(mapping, sch, 4)
    start = start or (instant(placed, 4 if placed.name == "AIS" else 6, mapping.zone) if placed else "")
    end = (instant(timed, 8, mapping.zone) if timed else "") or _component(mapping, sch, 5)
    minutes = sch.get(9)
    participants = [{"actor": mapping.subject(), "status": "accepted"}] if mapping.patient_id else []
    participants += [{"actor": one, "status": "accepted"} for segment in others for one in _participants(segment)]
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
            "comment": "; ".join(
                text for one in others if one.name == "NTE" for text in (one.whole(3).strip(),) if text
            ),
            "participant": participants or [{"status": "needs-action"}],
        },
        sch,
    )


def _component(mapping: Mapping, sch: Segment, component: int) -> str:
    """Return start (4) or end (5) of the older timing field SCH-11."""
    found = date_time(sch.get(11, component), mapping.zone)
    return found if "T" in found else ""


def _participants(segment: Segment) -> list[Json]:
    if segment.name == "AIP":
        return all_of(segment, 3, person)
    if segment.name == "AIL":
        return [{"display": words} for one in segment.repetitions(3) if (words := place(segment, one))]
    return []
