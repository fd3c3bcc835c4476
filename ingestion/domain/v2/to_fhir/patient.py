"""PID and PD1 as Patient, NK1 as RelatedPerson.

Source: HL7 Version 2 to FHIR guide, segment maps PID[Patient], PD1[Patient], NK1[RelatedPerson];
races and ethnicities as US Core 3.1 has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.message import V2Error
from ingestion.domain.v2.times import day_of
from ingestion.domain.v2.to_fhir.datatypes import (
    address,
    all_of,
    concept,
    extension,
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
_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/"
_CDC: Final = "urn:oid:2.16.840.1.113883.6.238"
_OMB: Final = {
    "race": ("1002-5", "2028-9", "2054-5", "2076-8", "2106-3"),
    "ethnicity": ("2135-2", "2186-5"),
}


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
    numbers = [*identifiers, *_national(pid)]
    born = moment(pid, 7, zone)
    resource = {
        "resourceType": "Patient",
        "id": mapping.patient_id,
        "extension": _extensions(pid, pd1),
        "identifier": numbers,
        "active": True,
        "name": [*all_of(pid, 5, human_name), *({**one, "use": "old"} for one in all_of(pid, 9, human_name))],
        "telecom": [
            {**one, "use": one.get("use") or use} if use else one
            for number, use in ((13, "home"), (14, "work"), (40, ""))
            for one in all_of(pid, number, telecom)
        ],
        "gender": look_up("gender", pid.get(8).upper()),
        "birthDate": day_of(pid.get(7)),
        "_birthDate": {"extension": extension("patient-birthTime", born, "valueDateTime")} if "T" in born else {},
        "address": _addresses(pid),
        "maritalStatus": _marital(pid),
        "communication": [{"language": one} for one in all_of(pid, 15, concept)],
        "generalPractitioner": [*all_of(pd1, 4, person), *all_of(pd1, 3, organisation)] if pd1 else [],
    }
    if pid.get(30).upper() == "Y" or pid.get(29):
        died = moment(pid, 29, zone)
        resource |= {"deceasedDateTime": died} if died else {"deceasedBoolean": True}
    if pid.get(25).isdecimal():
        resource["multipleBirthInteger"] = int(pid.get(25))
    elif pid.get(24).upper() in ("Y", "N"):
        resource["multipleBirthBoolean"] = pid.get(24).upper() == "Y"
    mapping.add(resource, pid, rank=_fullness(mapping, resource), updated=moment(pid, 33, zone))


def _fullness(mapping: Mapping, resource: Json) -> int:
    """Return how far this PID describes the person: those of ADT before all others, whole ones before bare ones.

    A field without a value says "no change" (HL7 v2.5.1, 2.5.3.2), and a result names the person just to say whose it
    is: neither may empty what an admission has told, nor let another person in under an emptied description.
    """
    described = bool(resource["name"] and resource["birthDate"] and resource["gender"])
    return 2 * (mapping.message.type[0] == "ADT") + described


def _national(pid: Segment) -> list[Json]:
    """Return PID-19 and PID-20; without an authority, so that nobody is recognised by them."""
    found = []
    if pid.get(19):
        found.append({"type": {"coding": [coding(V2_TABLE + "0203", "SS")]}, "value": pid.get(19)})
    if pid.get(20):
        licence = {"type": {"coding": [coding(V2_TABLE + "0203", "DL")]}, "value": pid.get(20)}
        assigner = {"display": pid.get(20, 2)} if pid.get(20, 2) else {}
        found.append(clean({**licence, "period": clean({"end": day_of(pid.get(20, 3))}), "assigner": assigner}))
    return found


def _extensions(pid: Segment, pd1: Segment | None) -> list[Json]:
    """Return what HL7's own extensions of Patient hold: race and ethnicity as US Core has them."""
    maiden = next((one for one in pid.repetitions(6)), "")
    words = " ".join(filter(None, (pid.part(maiden, 2), pid.part(maiden, 1)))) if maiden else ""
    found = extension("patient-mothersMaidenName", words, "valueString")
    for field, name in ((10, "race"), (22, "ethnicity")):
        inner = [_category(name, one) for one in all_of(pid, field, concept)]
        text = "; ".join(one.get("text", "") for one in all_of(pid, field, concept))
        if inner and text:
            inner = [one for one in inner if one]
            inner.append({"url": "text", "valueString": text})
            found.append({"url": f"{_US_CORE}us-core-{name}", "extension": inner})
    found += extension("patient-religion", first_of(pid, 17, concept), "valueCodeableConcept")
    found += extension("patient-birthPlace", {"text": pid.get(23)} if pid.get(23) else "", "valueAddress")
    for field, name in ((26, "citizenship"), (39, "citizenship"), (28, "nationality")):
        found += [
            {"url": f"{_BASE}patient-{name}", "extension": [{"url": "code", "valueCodeableConcept": one}]}
            for one in all_of(pid, field, concept)
        ]
    if pd1 is not None:
        found += extension("patient-congregation", pd1.get(14), "valueString")
    return found


def _category(name: str, one: Json) -> Json:
    """Return a coding of race or ethnicity where it is one of the five, or two, that US Core calls OMB's."""
    code = next((each["code"] for each in one.get("coding", ())), "")
    if code not in _OMB[name]:
        return {}
    given = coding(_CDC, code, one["coding"][0].get("display", ""))
    return {"url": "ombCategory", "valueCoding": given}


def _addresses(pid: Segment) -> list[Json]:
    """Return PID-11 with the county of older senders (PID-12): of the one address, else as one of its own."""
    found, county = all_of(pid, 11, address), pid.get(12)
    if not county:
        return found
    if len(found) == 1 and "district" not in found[0]:
        return [{**found[0], "district": county}]
    return found if any(one.get("district") == county for one in found) else [*found, {"district": county}]


def map_related(mapping: Mapping, nk1: Segment) -> None:
    """Add a next of kin."""
    names = [*all_of(nk1, 2, human_name), *all_of(nk1, 30, human_name)]
    if not names and not nk1.get(3):
        return
    relation = [one for one in (first_of(nk1, 3, concept), first_of(nk1, 7, concept)) if one]
    private = [{"type": {"coding": [coding(V2_TABLE + "0203", "SS")]}, "value": nk1.get(37)}] if nk1.get(37) else []
    mapping.add(
        {
            "resourceType": "RelatedPerson",
            "id": stable_id("RelatedPerson", mapping.patient_id, nk1.whole(2), nk1.get(3)),
            "identifier": [*all_of(nk1, 12, identifier), *all_of(nk1, 33, identifier), *private],
            "patient": mapping.subject(),
            "relationship": relation,
            "name": names,
            "telecom": [one for number in (5, 6, 40, 31, 41) for one in all_of(nk1, number, telecom)],
            "gender": look_up("gender", nk1.get(15).upper()),
            "birthDate": day_of(nk1.get(16)),
            "address": [*all_of(nk1, 4, address), *all_of(nk1, 32, address)],
            "period": clean({"start": day_of(nk1.get(8)), "end": day_of(nk1.get(9))}),
            "communication": [{"language": one} for one in all_of(nk1, 20, concept)],
        },
        nk1,
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


def _marital(pid: Segment) -> Json:
    code, words = pid.get(16), pid.get(16, 2)
    if not code:
        return {"text": words} if words else {}
    known = look_up("marital", code.upper())
    codings = [coding("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", known)] if known else []
    return clean({"coding": [*codings, coding(V2_TABLE + "0002", code, words)], "text": words})
