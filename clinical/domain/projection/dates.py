"""FHIR dates: ordered by their earliest moment, shown so that no reader can misread them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

UNDATED: Final = datetime.min.replace(tzinfo=UTC)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"
    r"(?:T(?P<time>\d{2}:\d{2})(?P<seconds>:\d{2}(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?$",
)


def lower_bound(recorded: str) -> datetime:
    """Return the earliest moment a FHIR date, dateTime or instant can mean, timezone-aware.

    "2024-03" is 2024-03-01T00:00Z. UTC is assumed where the record gives no zone. A text that is
    no FHIR date sorts before everything (`UNDATED`).

    See https://hl7.org/fhir/R4/datatypes.html#dateTime
    """
    match = _DATE.match(recorded)
    if match is None:
        return UNDATED
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    seconds = (match["seconds"] or ":00")[:10]  # microseconds at most
    day = f"{match['year']}-{match['month'] or '01'}-{match['day'] or '01'}"
    try:
        moment = datetime.fromisoformat(f"{day}T{match['time'] or '00:00'}{seconds}{zone}")
        return max(moment, UNDATED)
    except (ValueError, OverflowError):
        return UNDATED


def display_date(recorded: str, *, with_time: bool = False) -> str:
    """Return "14-Mar-2025", "Mar-2025" or "2025": as precise as recorded, the month in letters.

    `with_time` adds the time of day and the zone as recorded: "14-Mar-2025 08:30 UTC". A text that
    is no FHIR date is returned as it stands.
    """
    match = _DATE.match(recorded)
    if match is None or not 1 <= int(match["month"] or 1) <= 12:
        return recorded
    parts = [match["day"], _MONTHS[int(match["month"]) - 1] if match["month"] else None, match["year"]]
    shown = "-".join(part for part in parts if part)
    if with_time and match["time"]:
        zone = {None: "", "Z": " UTC", "+00:00": " UTC", "-00:00": " UTC"}.get(match["zone"], f" {match['zone']}")
        shown = f"{shown} {match['time']}{zone}"
    return shown
