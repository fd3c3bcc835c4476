"""HL7 v2 dates and times as FHIR R4 dates, dateTimes and instants, no more precise than they were sent.

Source: HL7 v2.8.2 chapter 2A, section 2.A.22 (DTM): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ].
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DTM: Final = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?")
# Longer fractions and a time of "00" hours with too many digits are sent by some systems; only their start is used.
_DIGITS: Final = re.compile(r"(\d{14})\d+(?=$|[+-])")


def date_time(text: str, zone: ZoneInfo) -> str:
    """Return a DTM as FHIR dateTime; "" for what is not one.

    Args:
        text: the field's value.
        zone: the sender's zone where the value names none; FHIR wants an offset with each time.
    """
    match = _DTM.fullmatch(_DIGITS.sub(r"\1", text.strip()))
    if match is None:
        return ""
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if hour is None or minute is None or int(year) == 0:
        return _day(year, month, day)
    try:
        naive = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return ""
    if offset is None:
        zoned = naive.replace(tzinfo=zone).isoformat()
        suffix = zoned[19:]
    else:
        suffix = f"{offset[:3]}:{offset[3:]}"
    return f"{naive.isoformat()}{fraction or ''}{'Z' if suffix == '+00:00' else suffix}"


def day_of(text: str) -> str:
    """Return a DTM as FHIR date (birth dates): year, year and month, or the day; "" for what is not one."""
    match = _DTM.fullmatch(_DIGITS.sub(r"\1", text.strip()))
    return _day(*match.groups()[:3]) if match else ""


def _day(year: str, month: str | None, day: str | None) -> str:
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return ""
    return "-".join(part for part in (year, month, day) if part)
