"""Medications and immunizations.

Source: C-CDA R2.1 templates Medication Activity (20.22.4.16), Indication (20.22.4.19), Medication Dispense
(20.22.4.18), Immunization Activity (20.22.4.52); HL7 C-CDA on FHIR guide. A medication list says what is taken, so it
becomes MedicationStatement; an intended one (moodCode INT) is an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, moment, period, person, quantity
from ingestion.domain.ccda.dosage import dosage_of
from ingestion.domain.ccda.xml import XSI_TYPE, attribute, every, one, templates, words
from ingestion.domain.mapped import clean, coded

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
MEDICATION: Final = "2.16.840.1.113883.10.20.22.4.16"
IMMUNIZATION: Final = "2.16.840.1.113883.10.20.22.4.52"
_REFUSAL: Final = "2.16.840.1.113883.10.20.22.4.53"
DISPENSE: Final = "2.16.840.1.113883.10.20.22.4.18"
_INDICATION: Final = "2.16.840.1.113883.10.20.22.4.19"
_MATERIAL: Final = "v:consumable/v:manufacturedProduct/v:manufacturedMaterial"
_STATUS: Final = {
    "completed": "completed",
    "active": "active",
    "aborted": "stopped",
    "suspended": "on-hold",
    "nullified": "entered-in-error",
}
# SNOMED CT: "drug or medicament", "substance"; negated they mean that no medicine is taken.
_ANY_MEDICINE: Final = frozenset({"410942007", "105590001"})
_NONE_TAKEN: Final = {
    **coded("http://snomed.info/sct", "787481004", "No known medications"),
    "text": "No known medications",
}
_GIVEN: Final = {"aborted": "not-done", "cancelled": "not-done", "nullified": "entered-in-error"}
_HANDED_OVER: Final = {
    "completed": "completed",
    "active": "in-progress",
    "aborted": "stopped",
    "cancelled": "cancelled",
    "suspended": "on-hold",
    "nullified": "entered-in-error",
}


def read_medication(reading: Reading, activity: Element) -> None:
    """Add a medicine taken (MedicationStatement) or ordered (MedicationRequest)."""
    code = concept(one(activity, f"{_MATERIAL}/v:code"), reading.referred)
    name = words(activity, f"{_MATERIAL}/v:name")
    if not code and name:
        code = {"text": name}
    if attribute(activity, "negationInd") == "true" and _names_no_medicine(code):
        code = _NONE_TAKEN
    if not code:
        return
    start, end = _course(reading, activity)
    status = _STATUS.get(attribute(activity, "code", "v:statusCode"), "unknown")
    negated = attribute(activity, "negationInd") == "true"
    if negated and status != "entered-in-error":
        status = "not-taken"
    ordered = attribute(activity, "moodCode") in ("INT", "RQO")
    dosage = dosage_of(reading, activity)
    shared: Json = {
        "identifier": reading.identifiers(activity),
        "medicationCodeableConcept": code,
        "subject": reading.subject(),
        "reasonCode": _reasons(reading, activity),
    }
    if ordered:
        reading.add(
            {
                "resourceType": "MedicationRequest",
                "id": reading.id_of("MedicationRequest", activity),
                **shared,
                "status": status if status != "not-taken" else "active",
                "doNotPerform": True if negated else None,
                "intent": "order",
                "authoredOn": moment(one(activity, "v:author/v:time"), reading.zone) or start,
                "requester": person(one(activity, "v:author/v:assignedAuthor")),
                "dosageInstruction": [dosage] if dosage else [],
            }
        )
        return
    reading.add(
        {
            "resourceType": "MedicationStatement",
            "id": reading.id_of("MedicationStatement", activity),
            **shared,
            "status": status,
            "effectivePeriod": clean({"start": start, "end": end}),
            "dateAsserted": moment(one(activity, "v:author/v:time"), reading.zone),
            "dosage": [dosage] if dosage else [],
        }
    )


def _names_no_medicine(code: Json) -> bool:
    """Return whether a code names no medicine in particular; with a negation it says that none is taken."""
    codes = {each.get("code") for each in code.get("coding", ())}
    return codes <= _ANY_MEDICINE if codes else not code


def _course(reading: Reading, activity: Element) -> tuple[str, str]:
    for each in every(activity, "v:effectiveTime"):
        if (each.get(XSI_TYPE) or "").endswith("IVL_TS") or one(each, "v:low") is not None or attribute(each):
            return period(each, reading.zone)
    return "", ""


def _reasons(reading: Reading, activity: Element) -> list[Json]:
    """Return what a medicine is for, by its Indications."""
    return [
        found
        for each in every(activity, "v:entryRelationship/v:observation")
        if _INDICATION in templates(each) and (found := concept(one(each, "v:value"), reading.referred))
    ]


def read_dispense(reading: Reading, supply: Element) -> None:
    """Add a medicine handed over (Medication Dispense)."""
    code = concept(one(supply, "v:product/v:manufacturedProduct/v:manufacturedMaterial/v:code"), reading.referred)
    if not code:
        return
    status = attribute(supply, "code", "v:statusCode")
    reading.add(
        {
            "resourceType": "MedicationDispense",
            "id": reading.id_of("MedicationDispense", supply),
            "identifier": reading.identifiers(supply),
            "status": _HANDED_OVER.get(status, "unknown"),
            "medicationCodeableConcept": code,
            "subject": reading.subject(),
            "quantity": quantity(one(supply, "v:quantity")),
            "whenHandedOver": period(one(supply, "v:effectiveTime"), reading.zone)[0],
            "performer": [
                {"actor": who} for each in every(supply, "v:performer/v:assignedEntity") if (who := person(each))
            ],
        }
    )


def read_immunization(reading: Reading, activity: Element) -> None:
    """Add an immunization; a negated one was not given."""
    code = concept(one(activity, f"{_MATERIAL}/v:code"), reading.referred)
    if not code or attribute(activity, "moodCode") not in ("EVN", ""):
        return
    given = period(one(activity, "v:effectiveTime"), reading.zone)[0]
    status = _GIVEN.get(attribute(activity, "code", "v:statusCode"), "completed")
    refused = attribute(activity, "negationInd") == "true"
    if refused and status != "entered-in-error":
        status = "not-done"
    reasons = [
        concept(one(each, "v:code"), reading.referred)
        for each in every(activity, "v:entryRelationship/v:observation")
        if _REFUSAL in templates(each)
    ]
    maker = words(activity, "v:consumable/v:manufacturedProduct/v:manufacturerOrganization/v:name")
    reading.add(
        {
            "resourceType": "Immunization",
            "id": reading.id_of("Immunization", activity),
            "identifier": reading.identifiers(activity),
            "status": status,
            "statusReason": next((one_reason for one_reason in reasons if one_reason), {}) if refused else {},
            "vaccineCode": code,
            "patient": reading.subject(),
            **({"occurrenceDateTime": given} if given else {"occurrenceString": "not stated"}),
            "lotNumber": words(activity, f"{_MATERIAL}/v:lotNumberText"),
            "manufacturer": {"display": maker} if maker else {},
            "route": concept(one(activity, "v:routeCode"), reading.referred),
            "site": concept(one(activity, "v:approachSiteCode"), reading.referred),
            "doseQuantity": quantity(one(activity, "v:doseQuantity")),
            "performer": [
                {"actor": who} for each in every(activity, "v:performer/v:assignedEntity") if (who := person(each))
            ],
        }
    )
