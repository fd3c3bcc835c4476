"""TQ1 and the older timing fields (ORC-7, RXE-1, OBR-27) as Timing; HL7's codes of priority.

Source: HL7 Version 2 to FHIR guide, segment maps TQ1[MedicationRequest] and TQ1[ServiceRequest], data type map
TQ[Timing].
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir.datatypes import moment
from ingestion.domain.v2.to_fhir.tables import look_up

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ingestion.domain.v2.message import Segment

Json = dict[str, Any]
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)(?::?([0-5]\d))?")
_DAYS: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}
_DURATION: Final = re.compile(r"([SMHDWL])(\d{1,4})")


def timing_of(tq1: Segment, zone: ZoneInfo) -> Json:
    """Return TQ1 as Timing: when it begins and ends, how often, at which times, how many times, in words too."""
    start, end = moment(tq1, 7, zone), moment(tq1, 8, zone)
    clocks = [found for one in tq1.repetitions(4) if (found := clock_time(tq1.part(one)))]
    count = tq1.get(14)
    repeat: Json = {
        "boundsPeriod": clean({"start": start, "end": end}),
        "count": int(count) if count.isdecimal() and int(count) else "",
        "timeOfDay": clocks,
    }
    words = [code for one in tq1.repetitions(3) if (code := _pattern(tq1, one))]
    if tq1.get(6):
        words.append(f"for {tq1.get(6)} {tq1.get(6, 2)}".strip())
    words.append(tq1.get(11))
    text = " ".join(filter(None, words))
    return clean({"repeat": clean(repeat), "code": {"text": text} if text else {}})


def _pattern(tq1: Segment, repetition: str) -> str:
    """Return the code of a repeat pattern with what is said of it: "TID", "P (Post (after)) 180 min PCM"."""
    code = tq1.part(repetition, 1, 1)
    named = tq1.part(repetition, 1, 2)
    words = [code, f"({named})" if named and named != code else ""]
    words += [tq1.part(repetition, number) for number in (2, 5, 6, 8)]
    return " ".join(filter(None, words))


def timing_of_field(segment: Segment, field: int, zone: ZoneInfo) -> Json:
    """Return a TQ field of older messages: quantity, interval, duration, start, end, priority, condition, text."""
    found = next(iter(segment.repetitions(field)), "")
    if not found:
        return {}
    part = segment.part
    length = _DURATION.fullmatch(part(found, 3))
    start, end = date_time(part(found, 4), zone), date_time(part(found, 5), zone)
    repeat: Json = {"boundsPeriod": {"start": start, **({"end": end} if end else {})}} if start else {}
    if length and not repeat:
        repeat = {
            "boundsDuration": {
                "value": int(length[2]),
                "unit": _DAYS[length[1]],
                "system": "http://unitsofmeasure.org",
                "code": _DAYS[length[1]],
            }
        }
    text = " ".join(filter(None, (part(found, 2), part(found, 2, 2), part(found, 7), part(found, 8))))
    return clean({"repeat": repeat, "code": {"text": text} if text else {}})


def priority_of(*codes: str) -> str:
    """Return the first of these v2 priorities that R4 knows; "" for none."""
    return next((found for code in codes if (found := look_up("priority", code.upper()))), "")


def clock_time(text: str) -> str:
    """Return a TM as FHIR time; "" for what is not one."""
    match = _CLOCK.match(text.strip())
    return f"{match[1]}:{match[2]}:{match[3] or '00'}" if match else ""
