"""PID and PD1 as Patient, NK1 as RelatedPerson, IN1 as Coverage.

Source: HL7 Version 2 to FHIR guide, segment maps PID[Patient], PD1[Patient], NK1[RelatedPerson], IN1[Coverage].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.message import V2Error
from ingestion.domain.v2.times import day_of
from ingestion.domain.v2.to_fhir.datatypes import (
    address,
    all_of,
    concept,
    first_of,
    human_name,
    identifier,
    moment,
    organisation,
    person,
    telecom,
)
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, authority_of, look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Message, Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]


def patient_identifiers(pid: Segment, sender: str) -> list[Json]:
    """Return PID-3, and PID-2 and PID-4 of older senders, each once; those with an assigning authority first.

    A number without an authority is the sending facility's own (`sender`): the same number of two facilities is
    not one person.
    """
    found = [_of_sender(one, sender) for number in (3, 2, 4) for one in all_of(pid, number, identifier)]
    unique: dict[tuple[str, str], Json] = {}
    for one in found:
        unique.setdefault((one.get("system", ""), one["value"]), one)
    return sorted(unique.values(), key=lambda one: not one.get("system"))


def sender_of(message: Message) -> str:
    """Return the authority of the sending facility (MSH-4), else application (MSH-3); "" when neither is named."""
    header = message.header
    for field in (4, 3):
        if header.get(field) or header.get(field, 2):
            return authority_of(header.get(field), header.get(field, 2), header.get(field, 3))
    return ""


def _of_sender(one: Json, sender: str) -> Json:
    return one if one.get("system") or not sender else {**one, "system": sender}


def patient_id_of(identifiers: list[Json]) -> str:
    """Return the Patient.id by which this sender's messages speak of one person."""
    first = identifiers[0]
    return stable_id("Patient", first.get("system", ""), first["value"])


def map_patient(mapping: Mapping, pid: Segment, pd1: Segment | None) -> None:
    """Add the Patient and make him the subject of all that follows.

    Raises:
        V2Error: missing-field at PID-3, when no identifier names the person.
    """
    identifiers = patient_identifiers(pid, sender_of(mapping.message))
    if not identifiers:
        raise V2Error("missing-field", "PID-3")
    mapping.patient_id = patient_id_of(identifiers)
    zone = mapping.zone
    marital = pid.get(16)
    resource = {
        "resourceType": "Patient",
        "id": mapping.patient_id,
        "identifier": identifiers,
        "active": True,
        "name": [*all_of(pid, 5, human_name), *({**one, "use": "old"} for one in all_of(pid, 9, human_name))],
        "telecom": [one for number in (13, 14, 40) for one in all_of(pid, number, telecom)],
        "gender": look_up("gender", pid.get(8).upper()),
        "birthDate": day_of(pid.get(7)),
        "address": all_of(pid, 11, address),
        "maritalStatus": _marital(marital, pid.get(16, 2)),
        "communication": [{"language": one} for one in all_of(pid, 15, concept)],
        "generalPractitioner": all_of(pd1, 4, person) if pd1 else [],
        "managingOrganization": {},
    }
    if pid.get(30).upper() == "Y" or pid.get(29):
        died = moment(pid, 29, zone)
        resource |= {"deceasedDateTime": died} if died else {"deceasedBoolean": True}
    if pid.get(24).upper() == "Y" and pid.get(25).isdecimal():
        resource["multipleBirthInteger"] = int(pid.get(25))
    mapping.add(resource, pid, updated=moment(pid, 33, zone))


def map_related(mapping: Mapping, nk1: Segment) -> None:
    """Add a next of kin."""
    names = all_of(nk1, 2, human_name) or all_of(nk1, 30, human_name)
    if not names and not nk1.get(3):
        return
    relation = [one for one in (first_of(nk1, 3, concept), first_of(nk1, 7, concept)) if one]
    mapping.add(
        {
            "resourceType": "RelatedPerson",
            "id": stable_id("RelatedPerson", mapping.patient_id, nk1.whole(2), nk1.get(3)),
            "patient": mapping.subject(),
            "relationship": relation,
            "name": names,
            "telecom": [one for number in (5, 6) for one in all_of(nk1, number, telecom)],
            "gender": look_up("gender", nk1.get(15).upper()),
            "birthDate": day_of(nk1.get(16)),
            "address": all_of(nk1, 4, address),
            "period": clean({"start": day_of(nk1.get(8)), "end": day_of(nk1.get(9))}),
        },
        nk1,
    )


def map_coverage(mapping: Mapping, in1: Segment) -> None:
    """Add an insurance."""
    payor = first_of(in1, 4, organisation) or first_of(in1, 3, _as_payor)
    if not payor:
        return
    mapping.add(
        {
            "resourceType": "Coverage",
            "id": stable_id("Coverage", mapping.patient_id, in1.whole(3), in1.get(36), in1.get(2)),
            "status": "active",
            "type": first_of(in1, 15, concept),
            "subscriberId": in1.get(36) or in1.get(49),
            "beneficiary": mapping.subject(),
            "relationship": first_of(in1, 17, concept),
            "period": clean({"start": day_of(in1.get(12)), "end": day_of(in1.get(13))}),
            "payor": [payor],
        },
        in1,
    )


def merged_identifiers(message: Message) -> list[tuple[list[Json], list[Json]]]:
    """Return (surviving, merged) identifiers of each PID and MRG pair of a merge message (A40 and its kind)."""
    pairs: list[tuple[list[Json], list[Json]]] = []
    survivor: list[Json] = []
    sender = sender_of(message)
    for segment in message.segments:
        if segment.name == "PID":
            survivor = patient_identifiers(segment, sender)
        elif segment.name == "MRG":
            merged = [_of_sender(one, sender) for one in all_of(segment, 1, identifier)]
            if survivor and merged:
                pairs.append((survivor, merged))
    return pairs


def _marital(code: str, words: str) -> Json:
    if not code:
        return {"text": words} if words else {}
    known = look_up("marital", code.upper())
    codings = [coding("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", known)] if known else []
    return clean({"coding": [*codings, coding(V2_TABLE + "0002", code, words)], "text": words})


def _as_payor(segment: Segment, repetition: str) -> Json:
    found = identifier(segment, repetition)
    return {"identifier": found} if found else {}
