"""What is planned, ordered or hoped for: the Plan of Treatment, and goals.

Source: C-CDA R2.1 templates Planned Act (20.22.4.39), Planned Encounter (.40), Planned Procedure (.41), Planned
Medication Activity (.42), Planned Observation (.44), Goal Observation (.121); HL7 v3 ActMood. A plan becomes a
ServiceRequest, never something that was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, moment, period, person, value_of
from ingestion.domain.ccda.xml import attribute, every, name, one
from ingestion.domain.mapped import clean

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
GOAL: Final = "2.16.840.1.113883.10.20.22.4.121"
PLANNED_MEDICATION: Final = "2.16.840.1.113883.10.20.22.4.42"
_ACTS: Final = frozenset({"act", "encounter", "observation", "procedure"})
# HL7 v3 ActMood -> request intent.
_INTENTS: Final = {
    "INT": "plan",
    "RQO": "order",
    "PRMS": "plan",
    "PRP": "proposal",
    "ARQ": "proposal",
    "APT": "plan",
}
_STATUS: Final = {
    "active": "active",
    "completed": "completed",
    "aborted": "revoked",
    "cancelled": "revoked",
    "suspended": "on-hold",
    "held": "on-hold",
    "nullified": "entered-in-error",
    "new": "active",
}
_LIFE: Final = {"active": "active", "completed": "completed", "cancelled": "cancelled", "aborted": "cancelled"}


def is_planned(statement: Element) -> bool:
    """Return whether a statement tells of something to be done."""
    return name(statement) in _ACTS and attribute(statement, "moodCode") in _INTENTS


def read_planned(reading: Reading, statement: Element) -> None:
    """Add what is to be done."""
    code = concept(one(statement, "v:code"), reading.referred)
    if not code:
        return
    start, end = period(one(statement, "v:effectiveTime"), reading.zone)
    when = {"occurrencePeriod": {"start": start, "end": end}} if start and end else {"occurrenceDateTime": start}
    reading.add(
        {
            "resourceType": "ServiceRequest",
            "id": reading.id_of("ServiceRequest", statement),
            "identifier": reading.identifiers(statement),
            "status": _STATUS.get(attribute(statement, "code", "v:statusCode"), "unknown"),
            "intent": _INTENTS[attribute(statement, "moodCode")],
            "doNotPerform": True if attribute(statement, "negationInd") == "true" else None,
            "code": code,
            "subject": reading.subject(),
            **when,
            "authoredOn": moment(one(statement, "v:author/v:time"), reading.zone),
            "requester": person(one(statement, "v:author/v:assignedAuthor")),
            "bodySite": [
                site for each in every(statement, "v:targetSiteCode") if (site := concept(each, reading.referred))
            ],
        }
    )


def read_goal(reading: Reading, observation: Element) -> None:
    """Add a goal: what is measured, and the value that is hoped for."""
    code = concept(one(observation, "v:code"), reading.referred)
    if not code:
        return
    start, due = period(one(observation, "v:effectiveTime"), reading.zone)
    value = value_of(one(observation, "v:value"), reading.referred, reading.zone)
    said = str(value.get("valueString", ""))
    detail = {
        {"valueQuantity": "detailQuantity", "valueRange": "detailRange", "valueString": "detailString",
         "valueCodeableConcept": "detailCodeableConcept", "valueBoolean": "detailBoolean",
         "valueInteger": "detailInteger", "valueRatio": "detailRatio"}[key]: found
        for key, found in value.items() if key != "valueDateTime"
    }  # fmt: skip
    reading.add(
        {
            "resourceType": "Goal",
            "id": reading.id_of("Goal", observation),
            "identifier": reading.identifiers(observation),
            "lifecycleStatus": _LIFE.get(attribute(observation, "code", "v:statusCode"), "active"),
            "description": {**code, "text": said} if said else code,
            "subject": reading.subject(),
            "startDate": start[:10],
            "target": [clean({"measure": code, **detail, "dueDate": due[:10]})] if detail else [],
        }
    )
