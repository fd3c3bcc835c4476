"""DG1 as Condition, PR1 as Procedure, AL1 and IAM as AllergyIntolerance.

Source: HL7 Version 2 to FHIR guide, segment maps DG1[Condition], PR1[Procedure], AL1[AllergyIntolerance] and
IAM[AllergyIntolerance]. AL1-4 is taken as the severity of the reaction, not as the risk of the next one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    extension,
    first_of,
    moment,
    person,
    place,
)
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/{}-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/{}-ver-status"
_ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_SNOMED: Final = "http://snomed.info/sct"
_MOST_MINUTES: Final = 10_000


def map_diagnosis(mapping: Mapping, dg1: Segment) -> None:
    """Add a diagnosis; DG1-21 "D" takes it back."""
    found = first_of(dg1, 3, concept)
    if dg1.get(4):
        found = {**found, "text": dg1.get(4)}
    if not found:
        return
    deleted = dg1.get(21).upper() == "D"
    verification = "entered-in-error" if deleted else look_up("diagnosis_verification", dg1.get(6).upper())
    key = dg1.get(20) or dg1.get(3) or dg1.get(4)
    parent = first_of(dg1, 22, entity)
    mapping.add(
        {
            "resourceType": "Condition",
            "id": stable_id("Condition", mapping.patient_id, mapping.encounter_id, key),
            "extension": extension("condition-dueTo", {"identifier": parent} if parent else "", "valueReference"),
            "identifier": all_of(dg1, 20, entity),
            # A verification of entered-in-error forbids a clinical status (con-5).
            "clinicalStatus": {} if deleted else {"coding": [coding(_CLINICAL.format("condition"), "active")]},
            "verificationStatus": {"coding": [coding(_VERIFICATION.format("condition"), verification)]}
            if verification
            else {},
            "category": [
                {"coding": [coding("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis")]}
            ],
            "code": found,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "onsetDateTime": moment(dg1, 5, mapping.zone),
            "recordedDate": moment(dg1, 19, mapping.zone),
            "asserter": first_of(dg1, 16, person),
        },
        dg1,
    )


def map_procedure(mapping: Mapping, pr1: Segment) -> None:
    """Add a procedure; PR1-20 "D" takes it back."""
    found = first_of(pr1, 3, concept)
    if pr1.get(4) and not pr1.get(3, 9):
        found = {**found, "text": pr1.get(4)}
    if not found:
        return
    when = moment(pr1, 5, mapping.zone)
    end = _end(when, pr1.get(7))
    performers = [
        clean({"function": {"coding": [coding(_SNOMED, role, words)]} if role else {}, "actor": one})
        for number, role, words in ((11, "304292004", "Surgeon"), (8, "88189002", "Anesthesiologist"), (12, "", ""))
        for one in all_of(pr1, number, person)
    ]
    parent = first_of(pr1, 25, entity)
    modifiers = [one.get("text") or one["coding"][0]["code"] for one in all_of(pr1, 16, concept)]
    mapping.add(
        {
            "resourceType": "Procedure",
            "id": stable_id("Procedure", mapping.patient_id, pr1.get(19) or pr1.get(3), when),
            "identifier": all_of(pr1, 19, entity),
            "partOf": [{"type": "Procedure", "identifier": parent}] if parent else [],
            "status": "entered-in-error" if pr1.get(20).upper() == "D" else "completed",
            "category": first_of(pr1, 6, concept),
            "code": found,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            **({"performedPeriod": {"start": when, "end": end}} if end else {"performedDateTime": when}),
            "performer": performers,
            "location": _place(pr1, 23),
            "reasonCode": all_of(pr1, 15, concept),
            "note": [{"text": f"Modifier: {one}"} for one in modifiers],
        },
        pr1,
    )


def _end(start: str, minutes: str) -> str:
    """Return when a procedure of so many minutes ended; "" where it cannot be told."""
    if "T" not in start or not minutes.isdecimal() or not 0 < int(minutes) < _MOST_MINUTES:
        return ""
    end = datetime.fromisoformat(start) + timedelta(minutes=int(minutes))
    return end.isoformat().replace("+00:00", "Z")


def _place(segment: Segment, field: int) -> Json:
    words = next((found for one in segment.repetitions(field) if (found := place(segment, one))), "")
    return {"display": words} if words else {}


def map_allergy(mapping: Mapping, al1: Segment) -> None:
    """Add an allergy of AL1."""
    if first_of(al1, 3, concept):
        mapping.add({**_allergy(mapping, al1), "onsetDateTime": moment(al1, 6, mapping.zone)}, al1)


def map_adverse_reaction(mapping: Mapping, iam: Segment) -> None:
    """Add an allergy of IAM; action "D" (IAM-6) takes it back."""
    found = first_of(iam, 3, concept)
    if not found:
        return
    onset = moment(iam, 11, mapping.zone)
    resource = _allergy(mapping, iam)
    if iam.get(7):
        resource["id"] = stable_id("AllergyIntolerance", mapping.patient_id, iam.get(7))
    said = iam.get(17).upper()  # HL7 table 0438: how sure it is, and whether it still holds
    verified = "entered-in-error" if iam.get(6).upper() == "D" else look_up("allergy_verification", said)
    if verified:
        resource["verificationStatus"] = {"coding": [coding(_ALLERGY_VERIFICATION, verified)]}
    if verified == "entered-in-error":
        resource["clinicalStatus"] = {}
    elif status := look_up("allergy_clinical", said):
        resource["clinicalStatus"] = {"coding": [coding(_CLINICAL.format("allergyintolerance"), status)]}
    if kind := look_up("allergy_sensitivity", iam.get(9).upper()):
        resource["type"] = kind
    more = first_of(iam, 27, concept).get("coding", [])
    mapping.add(
        {
            **resource,
            "code": {**found, "coding": [*found.get("coding", ()), *more]} if more else found,
            "identifier": all_of(iam, 7, entity),
            **({"onsetDateTime": onset} if onset else {"onsetString": iam.get(12)}),
            "recordedDate": moment(iam, 13, mapping.zone),
            "recorder": {"display": " ".join(filter(None, (iam.get(14, 2), iam.get(14, 1))))} if iam.get(14) else {},
        },
        iam,
    )


def _allergy(mapping: Mapping, segment: Segment) -> Json:
    """Return what AL1 and IAM have in the same fields: 2 to 5."""
    reactions = [words for one in segment.repetitions(5) if (words := segment.part(one, 2) or segment.part(one))]
    severity = next(
        (found for part in (1, 2) if (found := look_up("allergy_severity", segment.get(4, part).upper()))), ""
    )
    category = look_up("allergy_category", segment.get(2).upper())
    key = segment.get(3) or segment.get(3, 2)
    return {
        "resourceType": "AllergyIntolerance",
        "id": stable_id("AllergyIntolerance", mapping.patient_id, key),
        "clinicalStatus": {"coding": [coding(_CLINICAL.format("allergyintolerance"), "active")]},
        "type": look_up("allergy_type", segment.get(2).upper()),
        "category": [category] if category else [],
        "code": first_of(segment, 3, concept),
        "patient": mapping.subject(),
        "reaction": [clean({"manifestation": [{"text": words}], "severity": severity}) for words in reactions]
        or ([{"manifestation": [{"text": "not stated"}], "severity": severity}] if severity else []),
    }
