"""Results: OBR as DiagnosticReport, OBX as Observation.

Source: HL7 Version 2 to FHIR guide, segment maps OBR[DiagnosticReport], OBX[Observation], NTE[Observation]. One
deviation: text lines that share OBX-3 and OBX-4 are one Observation, because senders cut one text into many OBX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    extension,
    first_of,
    instant,
    moment,
    organisation,
    organisation_of_code,
    person,
    person_in_role,
)
from ingestion.domain.v2.to_fhir.documents import attachment_of, map_attached
from ingestion.domain.v2.to_fhir.orders import map_request, note_of, security_of
from ingestion.domain.v2.to_fhir.specimens import map_specimens
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, look_up
from ingestion.domain.v2.to_fhir.values import reference_range, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import OrderGroup, Result

Json = dict[str, Any]
RANK: Final = {
    "registered": 0, "partial": 1, "preliminary": 1, "final": 2, "amended": 3, "corrected": 3, "cancelled": 3,
    "entered-in-error": 3, "unknown": 0,
}  # fmt: skip
_ATTACHED: Final = frozenset({"ED", "RP"})
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"


def map_order(mapping: Mapping, group: OrderGroup, *, reported: bool) -> None:
    """Add what an order group says.

    Args:
        mapping: collects the resources.
        group: ORC, OBR and what stands under them.
        reported: the message reports results (ORU, OUL), so that a DiagnosticReport is made.
    """
    specimens = map_specimens(mapping, group)
    request = map_request(mapping, group, specimens)
    references = [
        found for result in group.results if (found := map_result(mapping, group, result, request, specimens))
    ]
    if group.obr is not None and reported:
        _report(mapping, group, request, specimens, references)
    else:
        map_attached(mapping, group, request)


def map_result(
    mapping: Mapping, group: OrderGroup, result: Result, request: str = "", specimens: Sequence[str] = ()
) -> str:
    """Add one observation and return its reference; "" for an attached document, which the report carries."""
    obx, zone = result.obx, mapping.zone
    if obx.get(2).upper() in _ATTACHED:
        return ""
    code = first_of(obx, 3, concept)
    if not code:
        return ""
    status = look_up("observation_status", obx.get(11).upper(), "unknown")
    effective = moment(obx, 14, zone) or (moment(group.obr, 7, zone) if group.obr else "")
    value = value_of(obx, zone)
    if result.lines and "valueString" in value:
        more = [text for line in result.lines if (text := value_of(line, zone).get("valueString"))]
        value = {"valueString": "\n".join([value["valueString"], *more])}
    # Without an order number a result is known by what was measured, and when.
    key = group.key or f"{effective}|{mapping.message.control_id if not effective else ''}"
    resource = {
        "resourceType": "Observation",
        "security": security_of(group.orc),
        "extension": extension("observation-analysis-date-time", moment(obx, 19, zone), "valueDateTime"),
        "id": stable_id("Observation", mapping.patient_id, key, obx.get(3) or obx.get(3, 2), obx.get(4)),
        "identifier": all_of(obx, 21, entity),
        "basedOn": [{"reference": request}] if request else [],
        "status": status,
        "category": _category(group, code),
        "code": code,
        "subject": mapping.subject(),
        "encounter": mapping.encounter(),
        "effectiveDateTime": effective,
        "issued": instant(obx, 19, zone) or (instant(group.obr, 22, zone) if group.obr else ""),
        "performer": _performers(obx),
        **value,
        "interpretation": [found for one in obx.repetitions(8) if (found := _interpretation(obx, one))],
        "note": [found for nte in result.notes if (found := note_of(nte, zone))],
        "bodySite": first_of(obx, 20, concept),
        "method": first_of(obx, 17, concept),
        "specimen": {"reference": specimens[0]} if specimens else {},
        "device": _device(obx),
        "referenceRange": reference_range(obx),
    }
    if not value:
        resource["dataAbsentReason"] = _absence(obx)
    updated = instant(obx, 19, zone) or (instant(group.obr, 22, zone) if group.obr else "")
    # "Final without retransmitting" (U) brings no value: what is held goes on telling it.
    rank = 0 if not value and obx.get(11).upper() == "U" else RANK.get(status, 0)
    return mapping.add(resource, obx, rank=rank, updated=updated)


def _absence(obx: Segment) -> Json:
    """Return why there is no value: as OBX-32 says it, else not asked (OBX-11 "N"), else unknown."""
    said = first_of(obx, 32, concept)
    code = "not-asked" if obx.get(11).upper() == "N" else "unknown"
    known = coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", code)
    return {**said, "coding": [known, *said.get("coding", ())]} if said else {"coding": [known]}


def _performers(obx: Segment) -> list[Json]:
    """Return who observed, where it was made, and who answers for that place."""
    made = [*all_of(obx, 23, organisation), *all_of(obx, 15, organisation_of_code)]
    return [*all_of(obx, 16, person), *made, *all_of(obx, 25, person)]


def _device(obx: Segment) -> Json:
    found = first_of(obx, 18, entity)
    return {"type": "Device", "identifier": found} if found else {}


def _category(group: OrderGroup, code: Json) -> list[Json]:
    """Return the category by the section (OBR-24); where it says none, vital signs by their codes."""
    section = group.obr.get(24).upper() if group.obr else ""
    vital = not section and any(
        one.get("system") == "http://loinc.org" and look_up("vital_signs", one["code"])
        for one in code.get("coding", ())
    )
    if not group.obr and not vital:
        return []
    by_section = "imaging" if section in ("RAD", "RUS", "CT", "NMR", "NMS", "XRC", "CUS") else "laboratory"
    return [{"coding": [coding(_CATEGORY, "vital-signs" if vital else by_section)]}]


def _interpretation(obx: Segment, repetition: str) -> Json:
    code = obx.part(repetition)
    known = look_up("interpretation", code.upper())
    if not known:
        return {"text": obx.part(repetition, 2) or code} if code else {}
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    return {"coding": [coding(system, known, obx.part(repetition, 2))]}


def _report(
    mapping: Mapping, group: OrderGroup, request: str, specimens: Sequence[str], observations: Sequence[str]
) -> None:
    obr = group.obr
    if obr is None:
        return
    status = look_up("report_status", obr.get(25).upper(), "unknown")
    attached = [found for one in group.results if (found := attachment_of(one.obx))]
    updated = instant(obr, 22, mapping.zone)
    start, end = moment(obr, 7, mapping.zone), moment(obr, 8, mapping.zone)
    section = obr.get(24)
    performers = [one for number in (34, 35) for one in all_of(obr, number, person_in_role)]
    mapping.add(
        {
            "resourceType": "DiagnosticReport",
            "id": stable_id("DiagnosticReport", mapping.patient_id, group.key, obr.get(4) or obr.get(4, 2)),
            "security": security_of(group.orc),
            "identifier": [entity(*number) for of in ("filler", "placer") if (number := group.number(of))],
            "basedOn": [{"reference": request}] if request else [],
            "status": status,
            "category": [{"coding": [coding(V2_TABLE + "0074", section)]}] if section else [],
            "code": first_of(obr, 4, concept) or {"text": "not stated"},
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            **({"effectivePeriod": {"start": start, "end": end}} if start and end else {"effectiveDateTime": start}),
            "issued": updated,
            "performer": performers,
            "resultsInterpreter": [one for number in (32, 33) for one in all_of(obr, number, person_in_role)],
            "specimen": [{"reference": one} for one in specimens],
            "result": [{"reference": one} for one in observations],
            "presentedForm": attached,
        },
        obr,
        rank=RANK.get(status, 0),
        updated=updated,
    )
