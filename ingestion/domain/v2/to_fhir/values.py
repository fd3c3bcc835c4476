"""OBX-5 by its type (OBX-2): numbers, structured numerics, codes, texts, times and ranges, digits as sent.

Source: HL7 v2.8.2 chapter 7, OBX; HL7 Version 2 to FHIR guide, segment map OBX[Observation].
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir.datatypes import concept
from ingestion.domain.v2.to_fhir.timing import clock_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ingestion.domain.v2.message import Segment

Json = dict[str, Any]
UCUM: Final = "http://unitsofmeasure.org"
_NUMBER: Final = re.compile(r"([<>]=?)?\s*([+-]?(?:\d+(?:\.\d+)?|\.\d+))")
_RANGE: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*-\s*([+-]?\d+(?:\.\d+)?)")
_BELOW: Final = re.compile(r"<=?\s*(\d+(?:\.\d+)?)")
_ABOVE: Final = re.compile(r">=?\s*(\d+(?:\.\d+)?)")
TEXTS: Final = frozenset({"TX", "FT", "ST", "IS", "ID", "VR"})


def unit_of(obx: Segment) -> Json:
    """Return unit, system and code of OBX-6 as members of a Quantity."""
    code, words, system = obx.get(6, 1), obx.get(6, 2), obx.get(6, 3).upper()
    if not code and not words:
        return {}
    found: Json = {"unit": words or code}
    if code and (system in ("UCUM", UCUM.upper()) or not system):
        found |= {"system": UCUM, "code": code} if system else {}
    return found


def value_of(obx: Segment, zone: ZoneInfo) -> Json:
    """Return the value[x] member of an Observation; {} when OBX-5 holds nothing usable as one."""
    kind = obx.get(2).upper()
    raw = obx.repetitions(5)
    if not raw:
        return {}
    match kind:
        case "NM":
            return _number(obx, raw)
        case "SN":
            return _structured(obx, raw[0])
        case "CE" | "CWE" | "CNE" | "CF":
            found = concept(obx, raw[0])
            more = [obx.part(one, 2) or obx.part(one) for one in raw[1:]]
            if more and found:
                found["text"] = "; ".join([found.get("text", ""), *more])
            return {"valueCodeableConcept": found} if found else {}
        case "DT" | "TS" | "DTM":
            found_time = date_time(obx.part(raw[0]), zone)
            return {"valueDateTime": found_time} if found_time else _text(obx)
        case "TM":
            found_clock = clock_time(obx.part(raw[0]))
            return {"valueTime": found_clock} if found_clock and len(raw) == 1 else _text(obx)
        case "DR":
            ends = clean({"start": date_time(obx.part(raw[0], 1), zone), "end": date_time(obx.part(raw[0], 2), zone)})
            return {"valuePeriod": ends} if ends else _text(obx)
        case "NR":
            return _span(obx, raw[0])
        case _:
            return _text(obx)


def _text(obx: Segment) -> Json:
    words = "\n".join(obx.plain(one) for one in obx.repetitions(5)).strip()
    return {"valueString": words} if words else {}


def _quantity(obx: Segment, digits: str, comparator: str = "") -> Json:
    number = f"0{digits}" if digits.startswith(".") else digits.removeprefix("+")
    return clean({"value": Decimal(number), "comparator": comparator}) | {"value": Decimal(number)} | unit_of(obx)


def _number(obx: Segment, raw: list[str]) -> Json:
    match = _NUMBER.fullmatch(obx.part(raw[0]))
    if match is None or len(raw) > 1:  # several numbers in one OBX are no one value: they stay as they were sent
        return _text(obx)
    return {"valueQuantity": _quantity(obx, match[2], match[1] or "")}


def _structured(obx: Segment, raw: str) -> Json:
    """Return an SN: comparator, number, separator, number."""
    comparator, first, separator, second = (obx.part(raw, number) for number in (1, 2, 3, 4))
    if not _NUMBER.fullmatch(first or "x"):
        return _text(obx)
    if second and _NUMBER.fullmatch(second):
        if separator == "-":
            return {"valueRange": {"low": _quantity(obx, first), "high": _quantity(obx, second)}}
        if separator in (":", "/"):
            return {"valueRatio": {"numerator": {"value": Decimal(first)}, "denominator": {"value": Decimal(second)}}}
    if separator == "+":  # "3+": a grade, not a number
        return {"valueString": f"{first}+"}
    allowed = comparator if comparator in ("<", "<=", ">", ">=") else ""
    if comparator and not allowed and comparator != "=":
        return _text(obx)
    return {"valueQuantity": _quantity(obx, first, allowed)}


def _span(obx: Segment, raw: str) -> Json:
    low, high = obx.part(raw, 1), obx.part(raw, 2)
    ends = {
        name: _quantity(obx, digits) for name, digits in (("low", low), ("high", high)) if _NUMBER.fullmatch(digits)
    }
    return {"valueRange": ends} if ends else _text(obx)


def reference_range(obx: Segment) -> list[Json]:
    """Return OBX-7 as referenceRange: its text always, its bounds where they can be read."""
    words = obx.whole(7).strip()
    if not words or words == '""':
        return []
    found: Json = {}
    if match := _RANGE.fullmatch(words):
        found = {"low": _quantity(obx, match[1]), "high": _quantity(obx, match[2])}
    elif match := _BELOW.fullmatch(words):
        found = {"high": _quantity(obx, match[1])}
    elif match := _ABOVE.fullmatch(words):
        found = {"low": _quantity(obx, match[1])}
    return [{**found, "text": words}]
