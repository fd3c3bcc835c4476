"""Moments and ages in words, and which moments may stand for one set."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import display_date

if TYPE_CHECKING:
    from datetime import datetime

    from clinical.domain.projection.rows import Row

_TIME: Final = re.compile(r"T(\d{2}:\d{2})(?::[\d.]+)?(Z|[+-]\d{2}:\d{2})?$")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def timed(row: Row) -> bool:
    """Return whether the time of day is recorded."""
    return bool(_TIME.search(row.effective))


def together(one: Row, other: Row, window: timedelta) -> bool:
    """Return whether two values may stand in one set: at most `window` apart.

    Where the window is shorter than a day a value without a time of day belongs only with others of the
    same date that have none either: how far apart they are is not known.
    """
    if window < _DAY and not (timed(one) and timed(other)):
        return not timed(one) and not timed(other) and one.effective[:10] == other.effective[:10]
    return abs(one.effective_sort - other.effective_sort) <= window


def spoken(row: Row) -> str:
    """Return "06:10 on 3 March 2026 (UTC)"; without a time of day "3 March 2026"."""
    date = row.effective[:10]
    if len(date) < len("2026-03-03"):
        return display_date(row.effective) or "an unknown date"
    day = f"{int(date[8:10])} {_MONTHS[int(date[5:7]) - 1]} {date[:4]}"
    clock = _TIME.search(row.effective)
    if clock is None:
        return day
    zone = {"Z": " (UTC)", "+00:00": " (UTC)", None: ""}.get(clock[2], f" ({clock[2]})")
    return f"{clock[1]} on {day}{zone}"


def old(row: Row, now: datetime) -> str:
    """Return how old a value is at `now`: "40 min old", "5 h old", "27 days old"."""
    age = now - row.effective_sort
    if timed(row) and age < _HOUR:
        return f"{max(0, int(age.total_seconds() // 60))} min old"
    if timed(row) and age < 2 * _DAY:
        return f"{int(age / _HOUR)} h old"
    days = max(0, age.days)
    return f"{days} day{'' if days == 1 else 's'} old"
