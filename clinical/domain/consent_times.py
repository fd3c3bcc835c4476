"""Periods of a Consent as moments: from the first that belongs to one to the first behind it.

A period's end is part of it, as precise as it is written: a day ends with the day, UTC where no zone is written.
Source: HL7 FHIR R4 4.0.1, Period (https://hl7.org/fhir/R4/datatypes.html#Period).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from clinical.domain.projection.dates import UNDATED, lower_bound
from clinical.domain.projection.elements import as_dict, as_str

NEVER: Final = datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
OPEN: Final[Span] = (UNDATED, NEVER)
_YEAR, _MONTH, _DAY = len("2026"), len("2026-02"), len("2026-02-10")


def span_of(period: object) -> tuple[Span, bool]:
    """Return a Period's first moment and the first behind it, and whether it could be told.

    An end that is not written is open, and so is one that is no FHIR date, or anything that is no Period; these last
    two are not told. No Period at all is open and told.
    """
    written = as_dict(period)
    start, end = written.get("start"), written.get("end")
    first, last = lower_bound(as_str(start)), lower_bound(as_str(end))
    told = (period is None or bool(written)) and (not start or first != UNDATED) and (not end or last != UNDATED)
    return (first, NEVER if last == UNDATED else _after(as_str(end))), told


def overlaps(span: Span, period: Span) -> bool:
    """Return whether some moment of a span lies in a period."""
    return span[0] < period[1] and period[0] < span[1]


def within(span: Span, period: Span) -> bool:
    """Return whether all of a span lies in a period."""
    return period[0] <= span[0] and span[1] <= period[1]


def _after(end: str) -> datetime:
    """Return the first moment behind a date or time; `NEVER` where no later one can be written (9999-12-31)."""
    at = lower_bound(end)
    try:
        if len(end) == _YEAR:
            return at.replace(year=at.year + 1)
        if len(end) == _MONTH:
            return (at + timedelta(days=31)).replace(day=1)
        return at + (timedelta(days=1) if len(end) == _DAY else timedelta(seconds=1))
    except (ValueError, OverflowError):
        return NEVER
