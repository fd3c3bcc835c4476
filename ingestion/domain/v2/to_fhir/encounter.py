"""PV1 and PV2 as Encounter, DG1 as Condition, PR1 as Procedure, AL1 as AllergyIntolerance.

Source: HL7 Version 2 to FHIR guide, segment maps PV1[Encounter], PV2[Encounter], DG1[Condition], PR1[Procedure],
AL1[AllergyIntolerance].
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
    place,
)
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/{}-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/{}-ver-status"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
# Trigger event -> Encounter.status, where the event itself says it; else the dates do.
_BY_EVENT: Final = {
    "A05": "planned", "A14": "planned", "A38": "cancelled", "A11": "cancelled", "A27": "cancelled",
    "A21": "onleave", "A01": "in-progress", "A04": "in-progress", "A02": "in-progress", "A13": "in-progress",
    "A12": "in-progress", "A03": "finished",
}  # fmt: skip


def map_encounter(mapping: Mapping, pv1: Segment, pv2: Segment | None) -> None:
    """Add the visit, when PV1 says which one it is."""
    number = pv1.get(19) or pv1.get(50)
    admitted, discharged = moment(pv1, 44, mapping.zone), moment(pv1, 45, mapping.zone)
    if not number and not admitted:
        return
    event = mapping.message.type[1]
    status = _BY_EVENT.get(event, "finished" if discharged else "in-progress" if admitted else "unknown")
    kind = look_up("encounter_class", pv1.get(2).upper(), "AMB")
    mapping.encounter_id = stable_id("Encounter", mapping.patient_id, number or admitted)
    reasons = all_of(pv2, 3, concept) if pv2 else []
    mapping.add(
        {
            "resourceType": "Encounter",
            "id": mapping.encounter_id,
            "identifier": [one for field in (19, 50) for one in all_of(pv1, field, identifier)],
            "status": status,
            "class": coding(_ACT, kind),
            "type": [one for field in (4, 18) if (one := first_of(pv1, field, concept))],
            "serviceType": first_of(pv1, 10, concept),
            "subject": mapping.subject(),
            "participant": [
                clean({"type": [{"coding": [coding(_PARTICIPATION, role)]}], "individual": who})
                for field, role in ((7, "ATND"), (8, "REF"), (9, "CON"), (17, "ADM"))
                for who in all_of(pv1, field, person)
            ],
            "period": clean({"start": admitted, "end": discharged}),
            "reasonCode": reasons,
            "hospitalization": _hospitalization(pv1),
            "location": [
                clean({"location": {"display": words}, "status": "completed" if discharged else "active"})
                for words in (place(pv1, one) for one in pv1.repetitions(3))
                if words
            ],
            "serviceProvider": first_of(pv1, 39, organisation),
        },
        pv1,
    )


def _hospitalization(pv1: Segment) -> Json:
    return clean(
        {
            "preAdmissionIdentifier": first_of(pv1, 5, identifier),
            "admitSource": first_of(pv1, 14, concept),
            "dischargeDisposition": first_of(pv1, 36, concept),
        }
    )


def map_diagnosis(mapping: Mapping, dg1: Segment) -> None:
    """Add a diagnosis; DG1-21 "D" takes it back."""
    found = first_of(dg1, 3, concept)
    if not found and dg1.get(4):
        found = {"text": dg1.get(4)}
    if not found:
        return
    deleted = dg1.get(21).upper() == "D"
    verification = "entered-in-error" if deleted else look_up("diagnosis_verification", dg1.get(6).upper())
    key = dg1.get(20) or dg1.get(3) or dg1.get(4)
    mapping.add(
        {
            "resourceType": "Condition",
            "id": stable_id("Condition", mapping.patient_id, mapping.encounter_id, key),
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
    """Add a procedure."""
    found = first_of(pr1, 3, concept)
    if not found:
        return
    when = moment(pr1, 5, mapping.zone)
    mapping.add(
        {
            "resourceType": "Procedure",
            "id": stable_id("Procedure", mapping.patient_id, pr1.get(19) or pr1.get(3), when),
            "identifier": all_of(pr1, 19, entity),
            "status": "completed",
            "category": first_of(pr1, 6, concept),
            "code": found,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "performedDateTime": when,
            "performer": [{"actor": one} for number in (11, 8, 12) for one in all_of(pr1, number, person)],
            "reasonCode": all_of(pr1, 15, concept),
        },
        pr1,
    )


def map_allergy(mapping: Mapping, al1: Segment) -> None:
    """Add an allergy."""
    found = first_of(al1, 3, concept)
    if not found:
        return
    reactions = [words for one in al1.repetitions(5) if (words := al1.part(one))]
    severity = look_up("allergy_severity", al1.get(4).upper())
    category = look_up("allergy_category", al1.get(2).upper())
    mapping.add(
        {
            "resourceType": "AllergyIntolerance",
            "id": stable_id("AllergyIntolerance", mapping.patient_id, al1.get(3) or al1.get(3, 2)),
            "clinicalStatus": {"coding": [coding(_CLINICAL.format("allergyintolerance"), "active")]},
            "category": [category] if category else [],
            # Severity of the reaction (AL1-4) is not the risk of the next one.
            "code": found,
            "patient": mapping.subject(),
            "onsetDateTime": moment(al1, 6, mapping.zone),
            "reaction": [clean({"manifestation": [{"text": words}], "severity": severity}) for words in reactions]
            or ([{"manifestation": [{"text": "not stated"}], "severity": severity}] if severity else []),
        },
        al1,
    )
