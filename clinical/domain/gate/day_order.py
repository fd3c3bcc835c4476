"""The order of day and month in numeric dates: known where another date of the same passage shows it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.dates import Precision

if TYPE_CHECKING:
    from clinical.domain.dates import WrittenDate

_NUMERIC: Final = re.compile(r"(?<![\w.,/])(\d{1,2})[/.](\d{1,2})[/.](?:(?:19|20)\d\d|\d\d)(?![\w/])")
_WRITTEN: Final = re.compile(r"(\d+)/(\d+)/\d+\Z")
_MONTHS: Final = 12


def order_of(text: str) -> str:
    """Return "month-first" or "day-first" where the numeric dates of a text can be read in one order only, else ""."""
    pairs = [(int(match[1]), int(match[2])) for match in _NUMERIC.finditer(text)]
    month_first = any(two > _MONTHS >= one for one, two in pairs)
    day_first = any(one > _MONTHS >= two for one, two in pairs)
    if month_first == day_first:
        return ""
    return "month-first" if month_first else "day-first"


def in_order(date: WrittenDate, order: str) -> WrittenDate:
    """Return a date whose day and month could be either as the order of its passage makes it."""
    match = _WRITTEN.match(date.written) if order and date.precision is Precision.AMBIGUOUS else None
    if match is None or date.year is None:
        return date
    one, two = int(match[1]), int(match[2])
    month, day = (one, two) if order == "month-first" else (two, one)
    return replace(date, precision=Precision.DAY, month=month, day=day, written="")
