"""Patient, Encounter, DiagnosticReport, plans, and a generic row for every other resource."""

from __future__ import annotations

from typing import Any, Final

from clinical.domain.projection.elements import (
    Concept,
    Resource,
    as_dict,
    as_list,
    as_str,
    concept,
    concepts,
    first_code,
    person_text,
    reference_text,
    references,
    unique,
)
from clinical.domain.projection.rows import EncounterRow, GenericRow, PatientRow, PlanRow, ReportRow
from clinical.domain.projection.statements import common

_DATES: Final = (
    "effectiveDateTime", "effectivePeriod", "occurrenceDateTime", "occurrencePeriod", "performedDateTime",
    "performedPeriod", "period", "date", "dateTime", "authoredOn", "started", "start", "created", "recorded", "issued",
)  # fmt: skip
_NAMED: Final = ("code", "type", "category", "description", "title", "name", "serviceType", "appointmentType")


def human_name(value: object) -> str:
    """Return the official or first current HumanName, in the order given, family, suffix."""
    names = [as_dict(item) for item in as_list(value)]
    current = [name for name in names if name.get("use") not in ("old", "maiden", "nickname")] or names
    current.sort(key=lambda name: name.get("use") != "official")
    if not current:
        return ""
    name = current[0]
    parts = [*as_list(name.get("given")), name.get("family"), *as_list(name.get("suffix"))]
    return " ".join(filter(None, map(as_str, parts))) or as_str(name.get("text"))


def project_patient(resource: Resource) -> list[PatientRow]:
    """Return the row of a Patient; identifiers are (type code, system, value)."""
    shown = human_name(resource.get("name"))
    names = unique([shown, *(human_name([item]) for item in as_list(resource.get("name")))])
    deceased = as_str(resource.get("deceasedDateTime"))
    fields = common(resource, Concept((), names, shown or "name not recorded"), "name", "birthDate")
    fields["status"] = "inactive" if resource.get("active") is False else "active"
    return [
        PatientRow(
            **fields,
            birth_date=as_str(resource.get("birthDate")),
            gender=as_str(resource.get("gender")),
            deceased=deceased or ("true" if resource.get("deceasedBoolean") is True else ""),
            identifiers=tuple(
                (first_code(item.get("type")), as_str(item.get("system")), as_str(item.get("value")))
                for item in map(as_dict, as_list(resource.get("identifier")))
                if as_str(item.get("value"))
            ),
        ),
    ]


def project_encounter(resource: Resource) -> list[EncounterRow]:
    """Return the row of an Encounter; `effective` is the start of its period."""
    encounter_class = first_code(resource.get("class"))
    kinds = concepts(resource.get("type"))
    named = "type" if kinds.text else "class"
    about = kinds if kinds.text else concept(resource.get("class"))
    fields = common(resource, about, named, "period")
    fields["text"] = fields["text"] or encounter_class or "Encounter"
    reasons = [reference_text(item) for item in as_list(resource.get("reasonReference"))]
    stay = as_dict(resource.get("hospitalization"))
    return [
        EncounterRow(
            **fields,
            encounter_class=encounter_class,
            end=as_str(as_dict(resource.get("period")).get("end")),
            reason="; ".join(unique([concepts(resource.get("reasonCode")).text, *reasons])),
            location="; ".join(
                unique(reference_text(as_dict(item).get("location")) for item in as_list(resource.get("location"))),
            ),
            discharge=concept(stay.get("dischargeDisposition")).text,
        ),
    ]


def project_report(resource: Resource) -> list[ReportRow]:
    """Return the row of a DiagnosticReport; anchored at its conclusion where it has one."""
    fields = common(resource, concept(resource.get("code")), "code", "effectiveDateTime", "effectivePeriod", "issued")
    coded = unique(concept(item).text for item in as_list(resource.get("conclusionCode")))
    conclusion = as_str(resource.get("conclusion")) or "; ".join(coded)
    if conclusion:
        fields["anchor"] = ("conclusion",) if as_str(resource.get("conclusion")) else ("conclusionCode",)
    return [
        ReportRow(
            **fields,
            conclusion=conclusion,
            categories=tuple(filter(None, map(first_code, as_list(resource.get("category"))))),
            results=references(resource.get("result")),
            coded=coded if as_str(resource.get("conclusion")) else (),
            based_on=references(resource.get("basedOn")),
        ),
    ]


def project_plan(resource: Resource) -> list[PlanRow]:
    """Return the row of a CarePlan, Goal or ServiceRequest."""
    named = next((name for name in ("code", "description", "title", "category") if name in resource), "")
    fields = common(resource, _any_concept(resource, named), named, "period", "startDate", "authoredOn", "created")
    if fields["status"] == "unknown":
        fields["status"] = as_str(resource.get("lifecycleStatus")) or "unknown"
    details = [as_dict(as_dict(item).get("detail")) for item in as_list(resource.get("activity"))]
    return [
        PlanRow(
            **fields,
            intent=as_str(resource.get("intent")),
            end=as_str(as_dict(resource.get("period")).get("end")),
            activities=unique(concept(item.get("code")).text or as_str(item.get("description")) for item in details),
            requester=person_text(resource, resource.get("requester")),
        ),
    ]


def project_generic(resource: Resource) -> list[GenericRow]:
    """Return the type, code text, status and date of any resource."""
    named = next((name for name in _NAMED if name in resource), "")
    fields: dict[str, Any] = common(resource, _any_concept(resource, named), named, *_DATES)
    fields["text"] = fields["text"] or fields["resource_type"]
    return [GenericRow(**fields)]


def _any_concept(resource: Resource, name: str) -> Concept:
    value = resource.get(name)
    if isinstance(value, str):
        return Concept((), unique([value.strip()]), value.strip())
    if name == "name":
        return Concept((), (), human_name(value))
    read = concepts(value)
    return read if read.text else Concept()
