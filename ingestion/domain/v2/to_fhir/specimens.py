"""SPM as Specimen; where an order has none, the specimen of the older OBR-15.

Source: HL7 Version 2 to FHIR guide, segment maps SPM[Specimen] and OBR[Specimen].
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, stable_id
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entities_of_pair,
    entity,
    first_of,
    identifier,
    moment,
    person,
)

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import OrderGroup

Json = dict[str, Any]
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def map_specimens(mapping: Mapping, group: OrderGroup) -> list[str]:
    """Add the specimens of an order and return their references."""
    if group.specimens:
        return [_specimen(mapping, spm, group.obr) for spm in group.specimens]
    if group.obr is not None and (group.obr.get(15) or group.obr.get(15, 1, 2)):
        return [_of_order(mapping, group.obr, group.key)]
    return []


def _specimen(mapping: Mapping, spm: Segment, obr: Segment | None) -> str:
    collected = [moment(spm, 17, mapping.zone), moment(spm, 17, mapping.zone, 2)]
    period = {"collectedPeriod": {"start": collected[0], "end": collected[1]}} if all(collected) else {}
    pairs = [one for repetition in spm.repetitions(2) for one in entities_of_pair(spm, repetition)]
    parents = [one for repetition in spm.repetitions(3) for one in entities_of_pair(spm, repetition)]
    notes = [text for number in (14, 10, 15, 16, 21) for text in _words(spm, number)]
    return mapping.add(
        {
            "resourceType": "Specimen",
            "id": stable_id("Specimen", mapping.patient_id, spm.whole(2) or f"{spm.get(4)}|{collected[0]}"),
            "identifier": [*pairs, *all_of(spm, 31, identifier), *all_of(spm, 32, entity)],
            "accessionIdentifier": first_of(spm, 30, identifier),
            "status": {"Y": "available", "N": "unavailable"}.get(spm.get(20).upper(), ""),
            "type": first_of(spm, 4, concept),
            "subject": mapping.subject(),
            "receivedTime": moment(spm, 18, mapping.zone),
            "parent": [{"type": "Specimen", "identifier": one} for one in parents],
            "collection": clean(
                {
                    "collector": first_of(obr, 10, person) if obr is not None else {},
                    **(period or {"collectedDateTime": collected[0]}),
                    "quantity": quantity(spm, 12),
                    "method": first_of(spm, 7, concept),
                    "bodySite": first_of(spm, 8, concept),
                }
            ),
            "container": [
                found
                for found in (
                    clean({"type": first_of(spm, 27, concept), "additiveCodeableConcept": first_of(spm, 6, concept)}),
                )
                if found
            ],
            "condition": all_of(spm, 24, concept),
            "note": [{"text": text} for text in notes],
        },
        spm,
    )


def _words(segment: Segment, field: int) -> list[str]:
    return [
        " ".join(filter(None, (segment.part(one, 2) or segment.part(one, 1), segment.part(one, 5))))
        for one in segment.repetitions(field)
        if segment.part(one, 1) or segment.part(one, 2)
    ]


def _of_order(mapping: Mapping, obr: Segment, key: str) -> str:
    """Return the reference to what OBR says of its specimen (OBR-9, 10, 14 and 15)."""
    raw = obr.repetitions(15)[0]
    kind = _subconcept(obr, raw, 1)
    method, site = obr.part(raw, 3), _subconcept(obr, raw, 4)
    additive = _subconcept(obr, raw, 2)
    return mapping.add(
        {
            "resourceType": "Specimen",
            "id": stable_id("Specimen", mapping.patient_id, key or obr.get(4), obr.get(15)),
            "type": kind,
            "subject": mapping.subject(),
            "receivedTime": moment(obr, 14, mapping.zone),
            "collection": clean(
                {
                    "collector": first_of(obr, 10, person),
                    "collectedDateTime": moment(obr, 7, mapping.zone),
                    "quantity": quantity(obr, 9),
                    "method": {"text": method} if method else {},
                    "bodySite": site,
                }
            ),
            "container": [{"additiveCodeableConcept": additive}] if additive else [],
            "note": [{"text": text} for text in _words(obr, 39)],
        },
        obr,
    )


def _subconcept(segment: Segment, repetition: str, component: int) -> Json:
    """Return a component that is a code with its words as subcomponents."""
    code, words = (segment.part(repetition, component, number) for number in (1, 2))
    if not code and not words:
        return {}
    return clean({"coding": [clean({"code": code, "display": words})] if code else [], "text": words or code})


def quantity(segment: Segment, field: int) -> Json:
    """Return a CQ as Quantity, with the unit's words."""
    digits = segment.get(field)
    if not _NUMBER.fullmatch(digits):
        return {}
    unit = segment.get(field, 2, 2) or segment.get(field, 2) or segment.get(field, 5)
    return {"value": Decimal(digits), **({"unit": unit} if unit else {})}
