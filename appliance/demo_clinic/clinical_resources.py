"""Problems, medications, allergies, immunisations, procedures, reports, encounters, restricted documents."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from appliance.demo_clinic.tables import MRN_SYSTEM, codes, coding, compact, concept, hl7_concept

if TYPE_CHECKING:
    from appliance.demo_clinic.tables import Json

_FOOD_AND_SURROUNDINGS = {"peanut": "food", "latex": "environment"}


def patient(person: Json) -> Json:
    """Return the Patient: medical record number, name, sex, birth date as known (it may be partial)."""
    family, *given = person["name"]
    return {
        "resourceType": "Patient",
        "id": person["id"],
        "identifier": [{"use": "usual", "system": MRN_SYSTEM, "value": person["mrn"]}],
        "active": True,
        "name": [{"use": "official", "family": family, "given": given}],
        "gender": person["sex"],
        "birthDate": person["born"],
    }


def encounters(person: Json, subject: Json) -> list[Json]:
    """Return the finished Encounters; a period of several days is written "start/end"."""
    made = []
    for period, act_class, reason, *more in person.get("encounters", []):
        start, _, end = period.partition("/")
        made.append(
            {
                "resourceType": "Encounter",
                "id": f"{person['id']}-encounter-{compact(start)}",
                "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": act_class},
                "subject": subject,
                "period": {"start": start, "end": end or start},
                "reasonCode": [concept(reason)],
            }
            | _label(more)
        )
    return made


def conditions(person: Json, subject: Json) -> list[Json]:
    """Return the problem list; an entry made in error has no clinical status (R4 con-5)."""
    made = []
    for key, onset, *more in person.get("conditions", []):
        options = more[0] if more else {}
        snomed, display, icd, text = codes()["conditions"][key]
        codings = [coding("snomed", snomed, display)] + ([coding("icd10", icd, text)] if icd else [])
        resource: Json = {
            "resourceType": "Condition",
            "id": f"{person['id']}-{key}",
            "category": [hl7_concept("condition-category", "problem-list-item")],
            "code": concept(options.get("text", text), *codings),
            "subject": subject,
            "onsetDateTime": onset,
        } | _label(more)
        if options.get("entered_in_error"):
            resource["verificationStatus"] = hl7_concept("condition-ver-status", "entered-in-error")
        else:
            status = "resolved" if "resolved" in options else "active"
            resource["clinicalStatus"] = hl7_concept("condition-clinical", status)
            resource["verificationStatus"] = hl7_concept("condition-ver-status", "confirmed")
        if "resolved" in options:
            resource["abatementDateTime"] = options["resolved"]
        made.append(resource)
    return made


def medication_requests(person: Json, subject: Json) -> list[Json]:
    """Return the orders. An order is an order, not proof of intake."""
    made = []
    for drug, dosage, start, *more in person.get("meds", []):
        options = more[0] if more else {}
        period = {"start": start} | ({"end": options["end"]} if "end" in options else {})
        code = codes()["drugs"][drug]
        resource: Json = {
            "resourceType": "MedicationRequest",
            "id": f"{person['id']}-{options.get('id', drug.replace(' ', '-'))}",
            "status": options.get("status", "active"),
            "intent": "order",
            "medicationCodeableConcept": concept(drug, *([coding("rxnorm", code, drug)] if code else [])),
            "subject": subject,
            "authoredOn": start,
            "dosageInstruction": [{"text": dosage, "timing": {"repeat": {"boundsPeriod": period}}}],
        } | _label(more)
        if "why" in options:
            resource["statusReason"] = concept(options["why"])
        made.append(resource)
    return made


def allergies(person: Json, subject: Json) -> list[Json]:
    """Return the allergy list, the recorded "no known allergies" and refuted entries included."""
    made = []
    for key, options in person.get("allergies", []):
        system, code, display, text = codes()["allergies"][key]
        refuted = options.get("verification") == "refuted"
        resource: Json = {
            "resourceType": "AllergyIntolerance",
            "id": f"{person['id']}-allergy-{key}",
            "clinicalStatus": hl7_concept("allergyintolerance-clinical", "inactive" if refuted else "active"),
            "verificationStatus": hl7_concept(
                "allergyintolerance-verification", options.get("verification", "confirmed")
            ),
            "code": concept(text, coding(system, code, display)),
            "patient": subject,
            "recordedDate": options["recorded"],
        }
        if key != "none-known":
            resource["type"] = options.get("type", "allergy")
            resource["category"] = [_FOOD_AND_SURROUNDINGS.get(key, "medication")]
        if "criticality" in options:
            resource["criticality"] = options["criticality"]
        if "reactions" in options:
            found = [(name, *codes()["reactions"][name]) for name in options["reactions"]]
            signs = [concept(name.capitalize(), coding("snomed", code, display)) for name, code, display in found]
            resource["reaction"] = [{"manifestation": signs}]
        if "note" in options:
            resource["note"] = [{"text": options["note"]}]
        made.append(resource)
    return made


def immunizations(person: Json, subject: Json) -> list[Json]:
    """Return the doses given, and those not given with the reason."""
    made = []
    for key, day, *more in person.get("immunizations", []):
        cvx, display, text = codes()["vaccines"][key]
        resource: Json = {
            "resourceType": "Immunization",
            "id": f"{person['id']}-{key}-{compact(day)}",
            "status": "completed",
            "vaccineCode": concept(text, coding("cvx", cvx, display)),
            "patient": subject,
            "occurrenceDateTime": day,
            "primarySource": True,
        }
        if more:
            resource |= {"status": "not-done", "statusReason": concept(more[0]["not_done"])}
        made.append(resource)
    return made


def procedures(person: Json, subject: Json) -> list[Json]:
    """Return completed Procedures; the date may be a year only."""
    made = []
    for key, day in person.get("procedures", []):
        snomed, display, text = codes()["procedures"][key]
        codings = [coding("snomed", snomed, display)] if snomed else []
        made.append(
            {
                "resourceType": "Procedure",
                "id": f"{person['id']}-{key}-{compact(day)}",
                "status": "completed",
                "code": concept(text, *codings),
                "subject": subject,
                "performedDateTime": day,
            }
        )
    return made


def reports(person: Json, subject: Json) -> list[Json]:
    """Return imaging, pathology, endoscopy and ECG reports with their conclusion as text."""
    made = []
    for key, day, conclusion in person.get("reports", []):
        loinc, display, text = codes()["reports"][key]
        made.append(
            {
                "resourceType": "DiagnosticReport",
                "id": f"{person['id']}-{key}-report-{compact(day)}",
                "status": "final",
                "code": concept(text, coding("loinc", loinc, display)),
                "subject": subject,
                "effectiveDateTime": day,
                "issued": f"{day}T17:00:00Z",
                "conclusion": conclusion,
            }
        )
    return made


def documents(person: Json, subject: Json) -> list[Json]:
    """Return the restricted note, which travels as a DocumentReference because a text file has no label."""
    note = person.get("restricted_note")
    if note is None:
        return []
    loinc, display = codes()["note_types"][note["type"]].split("|")
    data = b64encode(note["text"].encode()).decode("ascii")
    return [
        {
            "resourceType": "DocumentReference",
            "id": f"{person['id']}-{note['id']}",
            "status": "current",
            "type": concept(display, coding("loinc", loinc, display)),
            "subject": subject,
            "date": note["date"],
            "author": [{"display": note["author"]}],
            "description": note["title"],
            "content": [
                {"attachment": {"contentType": "text/plain; charset=utf-8", "title": note["title"], "data": data}}
            ],
            "restricted": True,
        }
    ]


def _label(more: list[Json]) -> Json:
    return {"restricted": True} if more and more[0].get("restricted") else {}
