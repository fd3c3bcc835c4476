"""FHIR R4 transaction Bundles of one patient: the record, and its later versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.demo_clinic import clinical_resources as made
from appliance.demo_clinic.observations import category_of, corrected, observations
from appliance.demo_clinic.tables import coding, compact, concept, urn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.demo_clinic.tables import Json

_RESTRICTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "R",
    "display": "restricted",
}
_FULL_DATE = len("2026-08-11")


def record(person: Json) -> list[Json]:
    """Return version 1 of every resource of a person; the Patient comes first."""
    subject = {"reference": urn(f"Patient/{person['id']}")}
    measured = observations(person, subject)
    _link_to_encounters(person, measured)
    resources = [
        made.patient(person),
        *made.encounters(person, subject),
        *made.conditions(person, subject),
        *made.allergies(person, subject),
        *made.medication_requests(person, subject),
        *made.immunizations(person, subject),
        *made.procedures(person, subject),
        *measured,
        *_laboratory_reports(person, measured, subject),
        *made.reports(person, subject),
        *made.documents(person, subject),
    ]
    fallback = person["encounters"][0][0].split("/")[0]
    return [_with_meta(resource, fallback) for resource in resources]


def updates(person: Json, resources: list[Json]) -> list[Json]:
    """Return version 2 of the resources that were corrected or entered in error later."""
    by_reference = {f"{item['resourceType']}/{item['id']}": item for item in resources}
    subject = {"reference": f"Patient/{person['id']}"}
    return [corrected(by_reference[change["resource"]], change, subject) for change in person.get("corrections", [])]


def transaction(resources: list[Json]) -> Json:
    """Return a transaction Bundle that puts each resource under its own id."""
    entries = []
    for resource in resources:
        reference = f"{resource['resourceType']}/{resource['id']}"
        request = {"method": "PUT", "url": reference}
        entries.append({"fullUrl": urn(reference), "resource": resource, "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def dates_of(resource: Json) -> Iterator[str]:
    """Yield the days on which something happened to the resource, as recorded (they may be partial)."""
    for key in ("effectiveDateTime", "issued", "onsetDateTime", "abatementDateTime", "recordedDate", "authoredOn"):
        if key in resource:
            yield str(resource[key])
    for key in ("occurrenceDateTime", "performedDateTime", "date"):
        if key in resource:
            yield str(resource[key])
    yield from resource.get("period", {}).values()
    for dosage in resource.get("dosageInstruction", []):
        yield from dosage["timing"]["repeat"]["boundsPeriod"].values()


def _with_meta(resource: Json, fallback: str) -> Json:
    moments = [day if "T" in day else f"{day}T18:00:00Z" for day in dates_of(resource) if len(day) >= _FULL_DATE]
    meta: Json = {"versionId": "1", "lastUpdated": max(moments, default=f"{fallback}T18:00:00Z")}
    if resource.get("restricted"):
        meta["security"] = [dict(_RESTRICTED)]
    rest = {key: item for key, item in resource.items() if key not in {"resourceType", "id", "restricted"}}
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta} | rest


def _link_to_encounters(person: Json, measured: list[Json]) -> None:
    starts = {period.split("/")[0] for period, *_ in person.get("encounters", [])}
    for observation in measured:
        day = observation["effectiveDateTime"][:_FULL_DATE]
        if day in starts:
            observation["encounter"] = {"reference": urn(f"Encounter/{person['id']}-encounter-{compact(day)}")}


def _laboratory_reports(person: Json, measured: list[Json], subject: Json) -> list[Json]:
    groups: dict[str, list[Json]] = {}
    for item in measured:
        if category_of(item) == "laboratory" and "issued" in item and "restricted" not in item:
            groups.setdefault(item["effectiveDateTime"], []).append(item)
    made_reports = []
    for moment, results in groups.items():
        complete = all(item["status"] == "final" for item in results)
        made_reports.append(
            {
                "resourceType": "DiagnosticReport",
                "id": f"{person['id']}-lab-{compact(moment)}-{moment[11:16].replace(':', '')}",
                "status": "final" if complete else "partial",
                "code": concept("Laboratory report", coding("loinc", "11502-2", "Laboratory report")),
                "subject": subject,
                "effectiveDateTime": moment,
                "issued": moment,
                "result": [{"reference": urn(f"Observation/{item['id']}")} for item in results],
            }
        )
    return made_reports
