"""Orders and their results: ORC and OBR as ServiceRequest and DiagnosticReport, OBX as Observation, SPM as Specimen.

Source: HL7 Version 2 to FHIR guide, segment maps ORC[ServiceRequest], OBR[ServiceRequest],
OBR[DiagnosticReport], OBX[Observation], SPM[Specimen], NTE. One deviation: text lines that share OBX-3 and
OBX-4 are one Observation, because senders cut one text into many OBX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    first_of,
    instant,
    moment,
    person,
)
from ingestion.domain.v2.to_fhir.documents import attachment_of
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
    request = _request(mapping, group)
    specimens = [_specimen(mapping, spm) for spm in group.specimens]
    references = [
        found for result in group.results if (found := map_result(mapping, group, result, request, specimens))
    ]
    if group.obr is not None and reported:
        _report(mapping, group, request, specimens, references)


def _request(mapping: Mapping, group: OrderGroup) -> str:
    """Add the ServiceRequest; "" where neither segment says what was ordered or by which number."""
    segment = group.obr or group.orc
    code = first_of(group.obr, 4, concept) if group.obr else {}
    if segment is None or not (group.key or code):
        return ""
    control, filled = (group.orc.get(1), group.orc.get(5)) if group.orc else ("", "")
    status = look_up("filled_status", filled) or look_up("order_status", control, "active")
    identifiers = []
    for of, kind in (("placer", "PLAC"), ("filler", "FILL")):
        number = group.number(of)
        if number:
            kind_of = {"coding": [coding(V2_TABLE + "0203", kind)]}
            identifiers.append({"type": kind_of, **entity(*number)})
    orderer = (group.obr and first_of(group.obr, 16, person)) or (group.orc and first_of(group.orc, 12, person)) or {}
    obr = group.obr
    return mapping.add(
        {
            "resourceType": "ServiceRequest",
            "id": stable_id("ServiceRequest", mapping.patient_id, group.key or segment.get(4)),
            "identifier": identifiers,
            "status": status,
            "intent": "order",
            "code": code,
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "occurrenceDateTime": moment(obr, 6, mapping.zone) if obr else "",
            "authoredOn": moment(group.orc, 9, mapping.zone) if group.orc else "",
            "requester": orderer,
            "reasonCode": all_of(obr, 31, concept) if obr else [],
            "note": [{"text": text} for text in map(_note, group.notes) if text],
        },
        segment,
        rank=0,
    )


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
        "id": stable_id("Observation", mapping.patient_id, key, obx.get(3) or obx.get(3, 2), obx.get(4)),
        "identifier": all_of(obx, 21, entity),
        "basedOn": [{"reference": request}] if request else [],
        "status": status,
        "category": _category(group),
        "code": code,
        "subject": mapping.subject(),
        "encounter": mapping.encounter(),
        "effectiveDateTime": effective,
        "issued": instant(obx, 19, zone) or (instant(group.obr, 22, zone) if group.obr else ""),
        "performer": all_of(obx, 16, person),
        **value,
        "interpretation": [found for one in obx.repetitions(8) if (found := _interpretation(obx, one))],
        "note": [{"text": text} for text in map(_note, result.notes) if text],
        "bodySite": first_of(obx, 20, concept),
        "method": first_of(obx, 17, concept),
        "specimen": {"reference": specimens[0]} if specimens else {},
        "referenceRange": reference_range(obx),
    }
    if not value:
        absent = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
        resource["dataAbsentReason"] = {"coding": [coding(absent, "unknown")]}
    updated = instant(obx, 19, zone) or (instant(group.obr, 22, zone) if group.obr else "")
    return mapping.add(resource, obx, rank=RANK.get(status, 0), updated=updated)


def _category(group: OrderGroup) -> list[Json]:
    section = group.obr.get(24).upper() if group.obr else ""
    code = "imaging" if section in ("RAD", "RUS", "CT", "NMR", "NMS", "XRC", "CUS") else "laboratory"
    return [{"coding": [coding(_CATEGORY, code)]}] if group.obr else []


def _interpretation(obx: Segment, repetition: str) -> Json:
    code = obx.part(repetition)
    known = look_up("interpretation", code.upper())
    if not known:
        return {"text": obx.part(repetition, 2) or code} if code else {}
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    return {"coding": [coding(system, known, obx.part(repetition, 2))]}


def _specimen(mapping: Mapping, spm: Segment) -> str:
    collected = [moment(spm, 17, mapping.zone), moment(spm, 17, mapping.zone, 2)]
    period = {"collectedPeriod": {"start": collected[0], "end": collected[1]}} if all(collected) else {}
    return mapping.add(
        {
            "resourceType": "Specimen",
            "id": stable_id("Specimen", mapping.patient_id, spm.whole(2) or f"{spm.get(4)}|{collected[0]}"),
            "identifier": all_of(spm, 2, entity),
            "type": first_of(spm, 4, concept),
            "subject": mapping.subject(),
            "receivedTime": moment(spm, 18, mapping.zone),
            "collection": clean(
                {
                    **(period or {"collectedDateTime": collected[0]}),
                    "method": first_of(spm, 7, concept),
                    "bodySite": first_of(spm, 8, concept),
                }
            ),
            "note": [{"text": spm.get(14)}] if spm.get(14) else [],
        },
        spm,
    )


def _report(
    mapping: Mapping, group: OrderGroup, request: str, specimens: Sequence[str], observations: Sequence[str]
) -> None:
    obr = group.obr
    if obr is None:
        return
    status = look_up("report_status", obr.get(25).upper(), "unknown")
    attached = [found for one in group.results if (found := attachment_of(one.obx))]
    updated = instant(obr, 22, mapping.zone)
    mapping.add(
        {
            "resourceType": "DiagnosticReport",
            "id": stable_id("DiagnosticReport", mapping.patient_id, group.key, obr.get(4) or obr.get(4, 2)),
            "identifier": [entity(*number) for of in ("filler", "placer") if (number := group.number(of))],
            "basedOn": [{"reference": request}] if request else [],
            "status": status,
            "category": [{"coding": [coding(V2_TABLE + "0074", obr.get(24))]}] if obr.get(24) else [],
            "code": first_of(obr, 4, concept) or {"text": "not stated"},
            "subject": mapping.subject(),
            "encounter": mapping.encounter(),
            "effectiveDateTime": moment(obr, 7, mapping.zone),
            "issued": updated,
            "resultsInterpreter": all_of(obr, 32, person),
            "specimen": [{"reference": one} for one in specimens],
            "result": [{"reference": one} for one in observations],
            "presentedForm": attached,
        },
        obr,
        rank=RANK.get(status, 0),
        updated=updated,
    )


def _note(nte: Segment) -> str:
    return "\n".join(nte.plain(one) for one in nte.repetitions(3)).strip()
