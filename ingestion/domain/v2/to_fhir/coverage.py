"""IN1 as Coverage; the insurer and the insured person are contained in it.

Source: HL7 Version 2 to FHIR guide, segment map IN1[Coverage].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coded, stable_id
from ingestion.domain.v2.times import day_of
from ingestion.domain.v2.to_fhir.datatypes import (
    address,
    all_of,
    concept,
    first_of,
    human_name,
    identifier,
    organisation,
    telecom,
)
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping

Json = dict[str, Any]
_CLASS: Final = "http://terminology.hl7.org/CodeSystem/coverage-class"


def map_coverage(mapping: Mapping, in1: Segment) -> None:
    """Add an insurance."""
    insurer = _insurer(in1)
    if not insurer:
        return
    insured = _insured(mapping, in1)
    words = insured["name"][0] if insured and insured.get("name") else {}
    order = in1.get(22)
    mapping.add(
        {
            "resourceType": "Coverage",
            "id": stable_id("Coverage", mapping.patient_id, in1.whole(3), in1.get(36), in1.get(2)),
            "contained": [one for one in (insurer, insured) if one],
            "identifier": [{"value": in1.get(36)}] if in1.get(36) else [],
            "status": "active",
            "type": first_of(in1, 15, concept),
            "policyHolder": first_of(in1, 11, organisation) or {},
            "subscriber": clean(
                {
                    "reference": "#insured" if insured else "",
                    "display": " ".join([*words.get("given", ()), words.get("family", "")]).strip(),
                }
            ),
            "subscriberId": in1.get(49) or in1.get(36),
            "beneficiary": mapping.subject(),
            "relationship": first_of(in1, 17, concept),
            "period": clean({"start": day_of(in1.get(12)), "end": day_of(in1.get(13))}),
            "payor": [clean({"reference": "#insurer", "display": insurer.get("name", "")})],
            "class": [one for one in (_class("plan", in1.get(2) or in1.get(35), in1.get(2, 2)), _group(in1)) if one],
            "order": int(order) if order.isdecimal() and int(order) else "",
        },
        in1,
    )


def _insurer(in1: Segment) -> Json:
    names = [one["display"] for one in all_of(in1, 4, organisation) if "display" in one]
    numbers = all_of(in1, 3, identifier)
    if not names and not numbers:
        return {}
    contacts = [
        clean({"name": name, "telecom": all_of(in1, 7, telecom) if number == 0 else []})
        for number, name in enumerate(all_of(in1, 6, human_name))
    ]
    return {
        "resourceType": "Organization",
        "id": "insurer",
        **clean(
            {
                "identifier": numbers,
                "name": next(iter(names), ""),
                "alias": names[1:],
                "telecom": all_of(in1, 7, telecom),
                "address": all_of(in1, 5, address),
                "contact": contacts,
            }
        ),
    }


def _insured(mapping: Mapping, in1: Segment) -> Json:
    """Return the insured person; {} where it is the patient himself, or nobody is named."""
    names = all_of(in1, 16, human_name)
    if not names or in1.get(17).upper() in ("SEL", "SELF", "18"):
        return {}
    return {
        "resourceType": "RelatedPerson",
        "id": "insured",
        "patient": mapping.subject(),
        "name": names,
        **clean(
            {
                "identifier": all_of(in1, 49, identifier),
                "relationship": all_of(in1, 17, concept),
                "gender": look_up("gender", in1.get(43).upper()),
                "birthDate": day_of(in1.get(18)),
                "address": all_of(in1, 19, address),
            }
        ),
    }


def _group(in1: Segment) -> Json:
    return _class("group", in1.get(8) or in1.get(10), in1.get(9))


def _class(kind: str, value: str, name: str) -> Json:
    if not value and not name:
        return {}
    return clean({"type": coded(_CLASS, kind), "value": value or name, "name": name})
