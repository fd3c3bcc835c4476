"""How a medicine is to be taken: amounts, route, times and instructions of an order as Dosage.

Source: HL7 Version 2 to FHIR guide, segment maps RXO, RXR and TQ1[MedicationRequest].
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean
from ingestion.domain.v2.to_fhir.datatypes import concept, first_of
from ingestion.domain.v2.to_fhir.quantities import quantity
from ingestion.domain.v2.to_fhir.timing import timing_of, timing_of_field

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import PharmacyGroup

Json = dict[str, Any]
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
# Amount, its highest, its unit; rate and its unit; total daily dose.
_AMOUNTS: Final = {"RXE": (3, 4, 5, 23, 24, 19), "RXO": (2, 3, 4, 21, 22, 23)}
# "Give per (time unit)": H1 is each hour (HL7 v2.5.1, RXE-22 and RXO-17).
_GIVE_PER: Final = {"RXE": 22, "RXO": 17}
_PER: Final = re.compile(r"(?P<unit>[SMHDW])(?P<count>\d{0,3})", re.IGNORECASE)
_UCUM_TIMES: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk"}


def dosage_of(mapping: Mapping, group: PharmacyGroup, order: Segment) -> Json:
    """Return one Dosage: amount and unit, rate, route, timing, and the instructions for giving it."""
    low, high, unit, rate, rate_unit, daily = _AMOUNTS[order.name]
    words = [text for one in order.repetitions(7) if (text := order.part(one, 2) or order.part(one))]
    timing = _timing(mapping, group, order)
    said = timing.get("code", {}).get("text", "")
    each = f"per {order.get(_GIVE_PER[order.name])}" if order.get(_GIVE_PER[order.name]) else ""
    text = "; ".join(filter(None, (" ".join(filter(None, (_amount(order, low, unit), each))), said, *words)))
    dose = quantity(order, low, unit)
    most = quantity(order, high, unit)
    given: Json = (
        {"doseRange": {"low": dose, "high": most}} if dose and most else {"doseQuantity": dose} if dose else {}
    )
    speed = quantity(order, rate, rate_unit)
    per = _give_per(order)
    if per and "doseQuantity" in given and not speed:
        given["rateRatio"] = {"numerator": given.pop("doseQuantity"), "denominator": per}
    rxr = group.last("RXR") if order.name == "RXE" else group.first("RXR")
    conditions = [{"text": found} for tq1 in group.segments.get("TQ1", ()) if (found := tq1.get(10))]
    return clean(
        {
            "text": text,
            "additionalInstruction": [*conditions, *(_one(rxr, 5) if rxr else ())],
            "timing": timing,
            "site": first_of(rxr, 2, concept) if rxr else {},
            "route": first_of(rxr, 1, concept) if rxr else {},
            "method": first_of(rxr, 4, concept) if rxr else {},
            "doseAndRate": [rates] if (rates := {**given, **({"rateQuantity": speed} if speed else {})}) else [],
            "maxDosePerPeriod": _daily(order, daily),
        }
    )


def _give_per(order: Segment) -> Json:
    """Return the time in which the amount is given."""
    found = _PER.fullmatch(order.get(_GIVE_PER[order.name]))
    if found is None:
        return {}
    unit = _UCUM_TIMES[found["unit"].upper()]
    return {"value": Decimal(found["count"] or 1), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _one(segment: Segment, field: int) -> list[Json]:
    found = first_of(segment, field, concept)
    return [found] if found else []


def _timing(mapping: Mapping, group: PharmacyGroup, order: Segment) -> Json:
    timings = group.segments.get("TQ1", [])
    for tq1 in reversed(timings) if order.name == "RXE" else timings:  # of several the encoded order's stands last
        if found := timing_of(tq1, mapping.zone):
            return found
    older = timing_of_field(order, 1, mapping.zone) if order.name == "RXE" else {}
    return older or (timing_of_field(group.orc, 7, mapping.zone) if group.orc else {})


def _amount(order: Segment, number: int, unit: int) -> str:
    amount = order.get(number)
    return f"{amount} {order.get(unit, 2) or order.get(unit)}".strip() if amount else ""


def _daily(order: Segment, field: int) -> Json:
    """Return a total daily dose (CQ) as the most in one day."""
    digits, unit = order.get(field), order.get(field, 2, 2) or order.get(field, 2)
    if not _NUMBER.fullmatch(digits):
        return {}
    day = {"value": Decimal(1), "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    return {"numerator": {"value": Decimal(digits), **clean({"unit": unit})}, "denominator": day}
