"""Problems, allergies and procedures.

Source: C-CDA R2.1 templates Problem Observation (20.22.4.4), Allergy - Intolerance Observation (20.22.4.7), their
Concern Acts (20.22.4.3, 20.22.4.30), Procedure Activity (20.22.4.12 to .14); HL7 C-CDA on FHIR guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, moment, period, person
from ingestion.domain.ccda.xml import attribute, every, one, templates, within
from ingestion.domain.mapped import clean, coded

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
PROBLEM: Final = "2.16.840.1.113883.10.20.22.4.4"
ALLERGY: Final = "2.16.840.1.113883.10.20.22.4.7"
PROCEDURES: Final = (
    "2.16.840.1.113883.10.20.22.4.14",
    "2.16.840.1.113883.10.20.22.4.13",
    "2.16.840.1.113883.10.20.22.4.12",
)
_CONCERNS: Final = frozenset({"2.16.840.1.113883.10.20.22.4.3", "2.16.840.1.113883.10.20.22.4.30"})
_NO_LONGER: Final = frozenset({"completed", "aborted"})
_REACTION: Final = "2.16.840.1.113883.10.20.22.4.9"
_SEVERITY: Final = "2.16.840.1.113883.10.20.22.4.8"
_CRITICALITY: Final = "2.16.840.1.113883.10.20.22.4.145"
_STATUS_TEMPLATES: Final = ("2.16.840.1.113883.10.20.22.4.6", "2.16.840.1.113883.10.20.22.4.28")
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
# SNOMED CT codes of problem and allergy status.
_CLINICAL: Final = {
    "55561003": "active",
    "73425007": "inactive",
    "413322009": "resolved",
    "246455001": "recurrence",
    "277022003": "remission",
}
_SEVERITIES: Final = {
    "255604002": "mild",
    "371923003": "moderate",
    "6736007": "moderate",
    "371924009": "severe",
    "24484000": "severe",
    "399166001": "severe",
}
_CRITICALITIES: Final = {"CRITH": "high", "CRITL": "low", "CRITU": "unable-to-assess"}
_CATEGORIES: Final = {
    "419511003": "medication", "416098002": "medication", "59037007": "medication", "414285001": "food",
    "235719002": "food", "418471000": "food", "426232007": "environment", "232347008": "environment",
}  # fmt: skip
# Codes that name nothing in particular: with negation they mean "no known allergies" (SNOMED CT).
_ANY_SUBSTANCE: Final = frozenset({"105590001", "410942007", "762766007", ""})
_NONE_KNOWN: Final = {
    "medication": ("409137002", "No known history of drug allergy"),
    "food": ("429625007", "No known food allergy"),
    "environment": ("428607008", "No known environmental allergy"),
    "": ("716186003", "No known allergy"),
}
# Codes that name no problem in particular: with negation they mean "no known problems" (SNOMED CT).
_ANY_PROBLEM: Final = frozenset({"55607006", "64572001", "404684003", ""})
_NO_PROBLEM: Final = {
    **coded("http://snomed.info/sct", "160245001", "No current problems or disability"),
    "text": "No known problems",
}
_UNKNOWN_END: Final = "The document gives this allergy an end of unknown date, but its concern as open."
_PROCEDURE_STATUS: Final = {
    "nullified": "entered-in-error",
    "completed": "completed",
    "active": "in-progress",
    "aborted": "stopped",
    "cancelled": "not-done",
}


def concern_of(entry: Element) -> str:
    """Return the status of the Concern Act around observations: active, suspended, completed, aborted or ""."""
    for act in every(entry, "v:act"):
        if templates(act) & _CONCERNS:
            return attribute(act, "code", "v:statusCode")
    return ""


def read_problem(reading: Reading, observation: Element, category: str, concern: str = "") -> None:
    """Add a condition; a negated one is refuted, not absent.

    An end of unknown date says that the problem is resolved (C-CDA R2.1, Problem Observation, effectiveTime).
    """
    code = concept(one(observation, "v:value"), reading.referred)
    negated = attribute(observation, "negationInd") == "true"
    if negated and {each.get("code", "") for each in code.get("coding", [{}])} <= _ANY_PROBLEM:
        code, negated = _NO_PROBLEM, False
    if not code:
        return
    start, end = period(one(observation, "v:effectiveTime"), reading.zone)
    over = "resolved" if end or _ends_unknown(observation) else ""
    clinical = _status(observation) or over or ("inactive" if concern in _NO_LONGER else "active")
    void = attribute(observation, "code", "v:statusCode") == "nullified"
    verification = "entered-in-error" if void else "refuted" if negated else "confirmed"
    negated = negated or void
    reading.add(
        {
            "resourceType": "Condition",
            "id": reading.id_of("Condition", observation),
            "identifier": reading.identifiers(observation),
            "clinicalStatus": {} if negated else coded(f"{_TERMINOLOGY}condition-clinical", clinical),
            "verificationStatus": coded(f"{_TERMINOLOGY}condition-ver-status", verification),
            "category": [coded(f"{_TERMINOLOGY}condition-category", category)],
            "severity": concept(_under(observation, _SEVERITY), reading.referred),
            "code": code,
            "subject": reading.subject(),
            "onsetDateTime": start,
            "abatementDateTime": end if not negated else "",
            "recordedDate": moment(one(observation, "v:author/v:time"), reading.zone),
            "asserter": person(one(observation, "v:author/v:assignedAuthor")),
        }
    )


def read_allergy(reading: Reading, observation: Element, concern: str = "") -> None:
    """Add an allergy; a negated one of no particular substance is a recorded "no known allergies".

    One whose end has no date stays active, with a note, unless its concern is closed too: senders write such an end for
    allergies that go on, and a warning too many is the lesser harm.
    """
    substance = one(observation, "v:participant/v:participantRole/v:playingEntity/v:code")
    kind = attribute(observation, "code", "v:value")
    category = _CATEGORIES.get(kind, "")
    negated = attribute(observation, "negationInd") == "true"
    code = concept(substance, reading.referred)
    if negated and attribute(substance, "code") in _ANY_SUBSTANCE:
        number, words = _NONE_KNOWN[category]
        code = {**coded("http://snomed.info/sct", number, words), "text": words}
        negated = False
    if not code:
        code = concept(one(observation, "v:value"), reading.referred)
    if not code:
        return
    start, end = period(one(observation, "v:effectiveTime"), reading.zone)
    unknown_end = _ends_unknown(observation)
    closed = concern in _NO_LONGER
    over = "resolved" if end or (unknown_end and closed) else "inactive" if closed else ""
    clinical = _status(observation) or over or "active"
    void = attribute(observation, "code", "v:statusCode") == "nullified"
    criticality = _CRITICALITIES.get(attribute(_under(observation, _CRITICALITY), "code", "v:value"), "")
    reading.add(
        {
            "resourceType": "AllergyIntolerance",
            "id": reading.id_of("AllergyIntolerance", observation),
            "identifier": reading.identifiers(observation),
            "clinicalStatus": {} if void else coded(f"{_TERMINOLOGY}allergyintolerance-clinical", clinical),
            "verificationStatus": coded(
                f"{_TERMINOLOGY}allergyintolerance-verification",
                "entered-in-error" if void else "refuted" if negated else "confirmed",
            ),
            "type": "intolerance" if kind in ("59037007", "235719002") else "allergy" if category else "",
            "category": [category] if category else [],
            "criticality": criticality,
            "code": code,
            "patient": reading.subject(),
            "onsetDateTime": start,
            "recordedDate": moment(one(observation, "v:author/v:time"), reading.zone),
            "recorder": person(one(observation, "v:author/v:assignedAuthor")),
            "note": [{"text": _UNKNOWN_END}] if unknown_end and clinical == "active" else [],
            "reaction": [found for each in within(observation, _REACTION) if (found := _reaction(reading, each))],
        }
    )


def _reaction(reading: Reading, observation: Element) -> Json:
    manifestation = concept(one(observation, "v:value"), reading.referred)
    severity = _SEVERITIES.get(attribute(_under(observation, _SEVERITY), "code", "v:value"), "")
    onset = period(one(observation, "v:effectiveTime"), reading.zone)[0]
    return clean({"manifestation": [manifestation], "onset": onset, "severity": severity}) if manifestation else {}


def read_procedure(reading: Reading, act: Element) -> None:
    """Add a procedure."""
    code = concept(one(act, "v:code"), reading.referred)
    if not code or attribute(act, "moodCode") not in ("EVN", ""):
        return
    start, end = period(one(act, "v:effectiveTime"), reading.zone)
    status = _PROCEDURE_STATUS.get(attribute(act, "code", "v:statusCode"), "unknown")
    if attribute(act, "negationInd") == "true" and status != "entered-in-error":
        status = "not-done"
    outcome = concept(one(act, "v:value"), reading.referred) if attribute(act, "code", "v:value") else {}
    reading.add(
        {
            "resourceType": "Procedure",
            "id": reading.id_of("Procedure", act),
            "identifier": reading.identifiers(act),
            "status": status,
            "code": code,
            "subject": reading.subject(),
            **({"performedPeriod": {"start": start, "end": end}} if start and end else {"performedDateTime": start}),
            "performer": [
                {"actor": who} for each in every(act, "v:performer/v:assignedEntity") if (who := person(each))
            ],
            "bodySite": [site for each in every(act, "v:targetSiteCode") if (site := concept(each, reading.referred))],
            "outcome": outcome,
        }
    )


def _ends_unknown(observation: Element) -> bool:
    """Return whether there is an end whose date is unknown (UNK); "not applicable" and "no information" are no end."""
    high = one(observation, "v:effectiveTime/v:high")
    return high is not None and high.get("nullFlavor") == "UNK"


def _status(observation: Element) -> str:
    for template in _STATUS_TEMPLATES:
        found = _CLINICAL.get(attribute(_under(observation, template), "code", "v:value"), "")
        if found:
            return found
    return ""


def _under(element: Element, template: str) -> Element | None:
    """Return the observation that stands directly under an entry and claims a template."""
    for found in every(element, "v:entryRelationship/v:observation"):
        if template in templates(found):
            return found
    return None
