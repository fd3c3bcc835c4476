"""PV1 and PV2 as Encounter.

Source: HL7 Version 2 to FHIR guide, segment maps PV1[Encounter] and PV2[Encounter], concept map
PatientClass[Encounter Class].
"""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    extension,
    first_of,
    identifier,
    moment,
    organisation,
    person,
    place,
)
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_R5: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter."
_VISIT_NUMBER: Final = {"coding": [coding(V2_TABLE + "0203", "VN")], "text": "visit number"}
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PARTICIPANTS: Final = (
    ("PV1", 7, "ATND"), ("PV1", 8, "REF"), ("PV2", 13, "REF"), ("PV1", 9, "CON"), ("PV1", 17, "ADM"),
    ("PV1", 52, "PART"),
)  # fmt: skip
# A visit without a number or date is told of when one of these says more than its class: where, what for, by whom.
_TELLING: Final = (3, 4, 7, 8, 9, 10, 17)
# Trigger event -> Encounter.status, where the event itself says it; else the dates do.
_BY_EVENT: Final = {
    "A05": "planned", "A14": "planned", "A38": "cancelled", "A11": "cancelled", "A27": "cancelled",
    "A21": "onleave", "A01": "in-progress", "A04": "in-progress", "A02": "in-progress", "A13": "in-progress",
    "A12": "in-progress", "A03": "finished",
}  # fmt: skip


def map_encounter(mapping: Mapping, pv1: Segment, pv2: Segment | None, pid: Segment | None = None) -> None:
    """Add the visit: known by its number, the account number of PID-18, its date, or else by what PV1 says of it."""
    account = first_of(pid, 18, identifier) if pid is not None else {}
    number = pv1.get(19) or pv1.get(50) or account.get("value", "")
    admitted, discharged = moment(pv1, 44, mapping.zone), moment(pv1, 45, mapping.zone)
    if not number and not admitted and not any(pv1.get(field) for field in _TELLING):
        return
    event = mapping.message.type[1]
    kind = pv1.get(2).upper()
    by_class = "planned" if kind == "P" and event not in _BY_EVENT else ""
    status = _BY_EVENT.get(event, "finished" if discharged else by_class or ("in-progress" if admitted else "unknown"))
    mapping.encounter_id = stable_id("Encounter", mapping.patient_id, number or admitted or pv1.text)
    mapping.add(
        {
            "resourceType": "Encounter",
            "id": mapping.encounter_id,
            **(_of_pv2(mapping, pv2) if pv2 else {}),
            "identifier": [
                *({**one, "type": one.get("type") or _VISIT_NUMBER} for one in all_of(pv1, 19, identifier)),
                *all_of(pv1, 50, identifier),
            ],
            "status": status,
            "class": _class(pv1),
            "type": [found for field in (4, 18) if (found := first_of(pv1, field, concept))],
            "serviceType": first_of(pv1, 10, concept),
            "priority": first_of(pv2, 25, concept) if pv2 else {},
            "subject": mapping.subject(),
            "episodeOfCare": [
                clean({"type": "EpisodeOfCare", "identifier": one, "display": pv1.get(53)})
                for one in all_of(pv1, 54, identifier)
            ],
            "participant": [
                clean({"type": [{"coding": [coding(_PARTICIPATION, role)]}], "individual": who})
                for segment, field, role in _PARTICIPANTS
                if (told := pv1 if segment == "PV1" else pv2) is not None
                for who in all_of(told, field, person)
            ],
            "period": clean({"start": admitted, "end": discharged}),
            "length": _length(pv2),
            "reasonCode": all_of(pv2, 3, concept) if pv2 else [],
            "account": [{"type": "Account", "identifier": account}] if account else [],
            "hospitalization": _hospitalization(pv1),
            "location": _locations(pv1, pv2, "completed" if discharged else "planned" if kind == "P" else "active"),
            "serviceProvider": first_of(pv1, 39, organisation),
        },
        pv1,
        rank=_rank(mapping.message.type, status),
    )


def _rank(kind: tuple[str, str], status: str) -> int:
    """Return how far this version of a visit goes before others.

    What a result says of the visit just names it. An update after the discharge that leaves the discharge out does not
    open the stay again; only its cancellation (A13) does.
    """
    if kind[0] != "ADT":
        return 0
    return 2 if status == "finished" or kind[1] == "A13" else 1


def _of_pv2(mapping: Mapping, pv2: Segment) -> Json:
    """Return what of PV2 has no element of its own in R4: protection, description, expected times, arrival."""
    described = pv2.get(12)
    protected = pv2.get(22).upper() == "Y"
    return {
        "security": [coding(_CONFIDENTIALITY, "R")] if protected else [],
        "text": {
            "status": "additional",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(described)}</div>',
        }
        if described
        else {},
        "extension": [
            *extension(f"{_R5}plannedStartDate", moment(pv2, 8, mapping.zone), "valueDateTime"),
            *extension(f"{_R5}plannedEndDate", moment(pv2, 9, mapping.zone), "valueDateTime"),
            *extension("encounter-modeOfArrival", _first_coding(pv2, 38), "valueCoding"),
        ],
    }


def _first_coding(segment: Segment, field: int) -> Json:
    return next(iter(first_of(segment, field, concept).get("coding", ())), {})


def _class(pv1: Segment) -> Json:
    """Return the class by HL7's map; kinds that it leaves open (recurring, obstetrics) keep their own code."""
    code = pv1.get(2).upper()
    known = look_up("encounter_class", code)
    if known or not code:
        return coding(_ACT, known or "AMB")
    return coding(V2_TABLE + "0004", code, pv1.get(2, 2))


def _length(pv2: Segment | None) -> Json:
    days = pv2.get(11) if pv2 is not None else ""
    if not days.isdecimal():
        return {}
    return {"value": Decimal(days), "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}


def _locations(pv1: Segment, pv2: Segment | None, now: str) -> list[Json]:
    """Return where the patient is, was before, is for a time, and is to go."""
    asked = [(pv1, 3, now), (pv1, 6, "completed"), (pv1, 11, now), (pv1, 42, "planned"), (pv1, 43, "completed")]
    asked += [(pv2, 1, "planned")] if pv2 is not None else []
    return [
        {"location": {"display": words}, "status": status}
        for segment, field, status in asked
        for words in (place(segment, one) for one in segment.repetitions(field))
        if words
    ]


def _hospitalization(pv1: Segment) -> Json:
    destination = ", ".join(filter(None, (pv1.get(37), pv1.get(37, 1, 2))))
    return clean(
        {
            "preAdmissionIdentifier": first_of(pv1, 5, identifier),
            "admitSource": first_of(pv1, 14, concept),
            "reAdmission": first_of(pv1, 13, concept),
            "dietPreference": all_of(pv1, 38, concept),
            "specialCourtesy": [*all_of(pv1, 22, concept), *all_of(pv1, 16, concept)],
            "specialArrangement": all_of(pv1, 15, concept),
            "destination": {"display": destination} if destination else {},
            "dischargeDisposition": first_of(pv1, 36, concept),
        }
    )
