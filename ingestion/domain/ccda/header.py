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
    period,
    person,
    telecom,
)
from ingestion.domain.ccda.xml import CcdaError, attribute, every, one, words
from ingestion.domain.mapped import clean, coding, stable_id

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
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
            "identifier": numbers,
            "name": [found for each in every(patient, "v:name") if (found := human_name(each))],
            "telecom": [found for each in every(role, "v:telecom") if (found := telecom(each))],
            "gender": _GENDER.get(attribute(patient, "code", "v:administrativeGenderCode"), ""),
            "birthDate": day(one(patient, "v:birthTime")),
            "address": [found for each in every(role, "v:addr") if (found := address(each))],
            "maritalStatus": concept(marital, {}) if marital is not None else {},
            "communication": languages,
        }
    )


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
