"""Results, vital signs, and every other observation: social history, functional and mental status, family history.

Source: C-CDA R2.1 templates Result Organizer (20.22.4.1), Vital Signs Organizer (20.22.4.26), Family History
Organizer (20.22.4.45); HL7 C-CDA on FHIR guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, moment, period, person, quantity, value_of
from ingestion.domain.ccda.xml import SDTC, attribute, every, one, words
from ingestion.domain.mapped import clean, coded

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
RESULTS: Final = "2.16.840.1.113883.10.20.22.4.1"
VITALS: Final = "2.16.840.1.113883.10.20.22.4.26"
FAMILY: Final = "2.16.840.1.113883.10.20.22.4.45"
# HL7 v3 NullFlavor -> FHIR data-absent-reason.
_ABSENCES: Final = {
    "UNK": "unknown", "NI": "unknown", "NASK": "not-asked", "ASKU": "asked-unknown", "NAV": "temp-unknown",
    "MSK": "masked", "NA": "not-applicable", "NINF": "negative-infinity", "PINF": "positive-infinity",
}  # fmt: skip
_GENDER: Final = {"M": "male", "F": "female", "UN": "other"}
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_STATUS: Final = {
    "completed": "final",
    "active": "registered",
    "aborted": "cancelled",
    "cancelled": "cancelled",
    "held": "registered",
    "suspended": "registered",
    "nullified": "entered-in-error",
}


def read_organizer(reading: Reading, organizer: Element, category: str) -> None:
    """Add the observations of a panel, and the report that holds them where it is of the laboratory."""
    when = period(one(organizer, "v:effectiveTime"), reading.zone)[0]
    results = [
        found
        for each in every(organizer, "v:component/v:observation")
        if (found := read_observation(reading, each, category, when))
    ]
    code = concept(one(organizer, "v:code"), reading.referred)
    if category != "laboratory" or not results:
        return
    status = _STATUS.get(attribute(organizer, "code", "v:statusCode"), "unknown")
    reading.add(
        {
            "resourceType": "DiagnosticReport",
            "id": reading.id_of("DiagnosticReport", organizer),
            "identifier": reading.identifiers(organizer),
            "status": status,
            "category": [coded("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB")],
            "code": code or {"text": "Results"},
            "subject": reading.subject(),
            "effectiveDateTime": when,
            "result": [{"reference": one_result} for one_result in results],
        }
    )


def read_observation(reading: Reading, observation: Element, category: str, when: str = "") -> str:
    """Add an observation and return its reference; "" when it says nothing or was not made (moodCode)."""
    code = concept(one(observation, "v:code"), reading.referred)
    if attribute(observation, "moodCode") not in ("EVN", ""):
        return ""
    values = [value_of(each, reading.referred, reading.zone) for each in every(observation, "v:value")]
    value = next((found for found in values if found), {})
    if attribute(observation, "code", "v:code") == "ASSERTION" and "valueCodeableConcept" in value:
        # "ASSERTION" says nothing: what is asserted is the subject.
        code, value = value["valueCodeableConcept"], {}
    if not code:
        return ""
    start, end = period(one(observation, "v:effectiveTime"), reading.zone)
    dated = {"effectivePeriod": {"start": start, "end": end}} if start and end else {"effectiveDateTime": start or when}
    negated = attribute(observation, "negationInd") == "true"
    status = _STATUS.get(attribute(observation, "code", "v:statusCode"), "unknown")
    notes = [words(each, "v:text") for each in every(observation, "v:entryRelationship/v:act")]
    return reading.add(
        {
            "resourceType": "Observation",
            "id": reading.id_of("Observation", observation),
            "identifier": reading.identifiers(observation),
            "status": status,
            "category": [coded(_CATEGORY, category)],
            "code": code,
            "subject": reading.subject(),
            **dated,
            "performer": [who for each in every(observation, "v:author/v:assignedAuthor") if (who := person(each))],
            **(_negated(value) if negated else value),
            "dataAbsentReason": {} if value or negated else _absence(observation),
            "interpretation": [
                found
                for each in every(observation, "v:interpretationCode")
                if (found := concept(each, reading.referred))
            ],
            "note": [{"text": text} for text in notes if text],
            "bodySite": concept(one(observation, "v:targetSiteCode"), reading.referred),
            "method": concept(one(observation, "v:methodCode"), reading.referred),
            "referenceRange": [
                found for each in every(observation, "v:referenceRange/v:observationRange") if (found := _range(each))
            ],
        }
    )


def _negated(value: Json) -> Json:
    """Return what a negated observation says: not so; of a value, in words, so that nobody takes it for found."""
    if not value:
        return {"valueBoolean": False}
    found = next(iter(value.values()))
    words_of = found.get("text") if isinstance(found, dict) else str(found)
    if isinstance(found, dict) and not words_of:
        words_of = f"{found.get('value', '')} {found.get('unit', '')}".strip()
    return {"valueCodeableConcept": {"text": f"Not: {words_of}"}} if words_of else {"valueBoolean": False}


def _absence(observation: Element) -> Json:
    """Return why there is no value, where the value itself says so (nullFlavor)."""
    flavours = [attribute(each, "nullFlavor") for each in every(observation, "v:value")]
    code = next((_ABSENCES[one_flavour] for one_flavour in flavours if one_flavour in _ABSENCES), "")
    return coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", code) if code else {}


def _range(element: Element) -> Json:
    low, high = (quantity(one(element, f"v:value/v:{end}")) for end in ("low", "high"))
    return clean({"low": low, "high": high, "text": words(element, "v:text")})


def read_family(reading: Reading, organizer: Element) -> None:
    """Add one relative's history."""
    related = one(organizer, "v:subject/v:relatedSubject")
    relation = concept(one(related, "v:code"), reading.referred)
    if not relation:
        return
    subject = one(related, "v:subject")
    conditions, absent = [], []
    for each in every(organizer, "v:component/v:observation"):
        code = concept(one(each, "v:value"), reading.referred)
        if code and attribute(each, "negationInd") == "true":
            absent.append(f"Not: {code.get('text', '')}")
        elif code:
            age = one(each, "v:entryRelationship/v:observation/v:value")
            years = quantity(age) if attribute(age, "unit") == "a" else {}
            conditions.append(clean({"code": code, "onsetAge": {**years, "unit": "a"} if years else {}}))
    named = one(subject, "v:name")
    sex = _GENDER.get(attribute(subject, "code", "v:administrativeGenderCode"), "")
    died = None if subject is None else subject.find(f"{{{SDTC}}}deceasedInd")
    reading.add(
        {
            "resourceType": "FamilyMemberHistory",
            "id": reading.id_of("FamilyMemberHistory", organizer, relation.get("text", "")),
            "identifier": reading.identifiers(organizer),
            "status": "completed",
            "patient": reading.subject(),
            "date": moment(one(organizer, "v:effectiveTime"), reading.zone),
            "name": words(named),
            "relationship": relation,
            "sex": coded("http://hl7.org/fhir/administrative-gender", sex) if sex else {},
            "deceasedBoolean": True if attribute(died) == "true" else None,
            "note": [{"text": text} for text in absent],
            "condition": conditions,
        }
    )
