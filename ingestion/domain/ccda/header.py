"""The document's header: recordTarget as Patient, encompassingEncounter as Encounter.

Source: HL7 C-CDA on FHIR guide, header mapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import (
    address,
    concept,
    day,
    human_name,
    identifier,
    moment,
    period,
    person,
    telecom,
)
from ingestion.domain.ccda.xml import SDTC, CcdaError, attribute, every, one, words
from ingestion.domain.mapped import clean, coding, stable_id

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/"
_HL7: Final = "http://hl7.org/fhir/StructureDefinition/"
_RACES: Final = ("1002-5", "2028-9", "2054-5", "2076-8", "2106-3")
_ETHNICITIES: Final = ("2135-2", "2186-5")
_GENDER: Final = {"M": "male", "F": "female", "UN": "other"}
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def read_patient(reading: Reading, root: Element) -> None:
    """Add the Patient.

    Raises:
        CcdaError: missing-element, when no identifier names the person.
    """
    role = one(root, "v:recordTarget/v:patientRole")
    if role is None:
        raise CcdaError("missing-element", "recordTarget")
    numbers = [found for each in every(role, "v:id") if (found := identifier(each))]
    if not numbers:
        raise CcdaError("missing-element", "patientRole/id")
    reading.patient_id = stable_id("Patient", numbers[0].get("system", ""), numbers[0]["value"])
    patient = one(role, "v:patient")
    marital = one(patient, "v:maritalStatusCode")
    languages = [
        {"language": {"coding": [coding("urn:ietf:bcp:47", code)]}}
        for each in every(patient, "v:languageCommunication")
        if (code := attribute(each, "code", "v:languageCode"))
    ]
    reading.add(
        {
            "resourceType": "Patient",
            "id": reading.patient_id,
            "extension": _extensions(patient),
            "identifier": numbers,
            "name": [found for each in every(patient, "v:name") if (found := human_name(each))],
            "telecom": [found for each in every(role, "v:telecom") if (found := telecom(each))],
            "gender": _GENDER.get(attribute(patient, "code", "v:administrativeGenderCode"), ""),
            "birthDate": day(one(patient, "v:birthTime")),
            "address": [found for each in every(role, "v:addr") if (found := address(each))],
            "maritalStatus": concept(marital, {}) if marital is not None else {},
            "communication": languages,
            **_death(patient, reading),
            "contact": [found for each in every(patient, "v:guardian") if (found := _guardian(each))],
        }
    )


def _death(patient: Element | None, reading: Reading) -> Json:
    if patient is None:
        return {}
    when = moment(patient.find(f"{{{SDTC}}}deceasedTime"), reading.zone)
    if when:
        return {"deceasedDateTime": when}
    said = attribute(patient.find(f"{{{SDTC}}}deceasedInd"))
    return {"deceasedBoolean": said == "true"} if said in ("true", "false") else {}


def _guardian(element: Element) -> Json:
    name = next((found for each in every(element, "v:guardianPerson/v:name") if (found := human_name(each))), {})
    relation = concept(one(element, "v:code"), {})
    if not name and not relation:
        return {}
    return clean(
        {
            "relationship": [relation] if relation else [],
            "name": name,
            "telecom": [found for each in every(element, "v:telecom") if (found := telecom(each))],
            "address": next((found for each in every(element, "v:addr") if (found := address(each))), {}),
        }
    )


def _extensions(patient: Element | None) -> list[Json]:
    """Return race and ethnicity as US Core has them, religion and birth place as HL7 has them."""
    if patient is None:
        return []
    found: list[Json] = []
    for name, omb, paths in (
        ("race", _RACES, [*every(patient, "v:raceCode"), *patient.findall(f"{{{SDTC}}}raceCode")]),
        ("ethnicity", _ETHNICITIES, [*every(patient, "v:ethnicGroupCode")]),
    ):
        codes = [one_code for each in paths if (one_code := concept(each, {}))]
        text = "; ".join(each.get("text", "") for each in codes if each.get("text"))
        if not text:
            continue
        inner: list[Json] = [
            {"url": "ombCategory" if each["coding"][0]["code"] in omb else "detailed", "valueCoding": each["coding"][0]}
            for each in codes
            if each.get("coding")
        ]
        found.append({"url": f"{_US_CORE}us-core-{name}", "extension": [*inner, {"url": "text", "valueString": text}]})
    religion = concept(one(patient, "v:religiousAffiliationCode"), {})
    found += [{"url": f"{_HL7}patient-religion", "valueCodeableConcept": religion}] if religion else []
    born = one(patient, "v:birthplace/v:place/v:addr")
    where = address(born) if born is not None else {}
    return found + ([{"url": f"{_HL7}patient-birthPlace", "valueAddress": where}] if where else [])


def read_encounter(reading: Reading, root: Element) -> str:
    """Add the visit the document tells of; "" where it names none."""
    visit = one(root, "v:componentOf/v:encompassingEncounter")
    if visit is None:
        return ""
    start, end = period(one(visit, "v:effectiveTime"), reading.zone)
    place = one(visit, "v:location/v:healthCareFacility/v:location/v:name")
    facility = words(place) or words(visit, "v:location/v:healthCareFacility/v:serviceProviderOrganization/v:name")
    code = attribute(visit, "code", "v:code")
    doctors = [found for each in every(visit, "v:encounterParticipant/v:assignedEntity") if (found := person(each))]
    return reading.add(
        {
            "resourceType": "Encounter",
            "id": reading.id_of("Encounter", visit),
            "identifier": reading.identifiers(visit),
            "status": "finished" if end else "unknown",
            "class": coding(_ACT, code if code in ("AMB", "EMER", "IMP", "HH", "VR", "ACUTE") else "AMB"),
            "type": [found] if (found := concept(one(visit, "v:code"), reading.referred)) else [],
            "subject": reading.subject(),
            "participant": [{"individual": who} for who in doctors],
            "period": clean({"start": start, "end": end}),
            "location": [{"location": {"display": facility}}] if facility else [],
        }
    )
