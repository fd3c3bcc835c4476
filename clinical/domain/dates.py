"""Dates as clinicians write them, with the precision they were written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sept sep", "october oct", "november nov", "december dec"),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = r"(?P<month>(?i:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r"))\b\.?"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_PATTERNS = tuple(
    re.compile(r"(?<![\w.,/])" + pattern + r"(?![\w/]|[.,]\d)")
    for pattern in (
        r"(?P<year>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?",
        r"(?P<year>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?!-)",
        _DAY + r"(?:\s+of)?[\s-]+" + _MONTH + r",?(?:[\s-]+" + _YEAR + r")?",
        _MONTH + r"\s+" + _DAY + r"(?:,?\s+" + _YEAR + r")?(?!\s*(?:mg|mcg|g|mL|ml|%|times|units))",
        _MONTH + r",?(?:\s+of)?\s+" + _YEAR,
        r"(?P<one>\d{1,2})(?P<mark>[/.])(?P<two>\d{1,2})(?P=mark)(?P<year>(?:19|20)\d\d|\d\d)",
        r"(?P<m>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)",
        r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?:\s?(?P<half>[AaPp]\.?[Mm]\.?))?",
    )
)
_DIGIT = re.compile(r"\d")
_BARE_YEAR = re.compile(
    r"(?:\b(?:in|since|from|of|until|till|by|before|after|year|early|late|mid|during|circa|stopped|quit|started|began"
    r"|diagnosed|done|removed|repaired|placed|inserted|fitted|born|last|onset|and|to)[\s-]+|\(|: )"
    r"(?P<year>(?:19|20)\d\d)(?![\w/]|[.,]\d|\s*(?:mg|mL|ml|m|g|kg|units|K|cells)\b)",
    re.IGNORECASE,
)
_BARE_MONTH = re.compile(
    r"\b(?:in|since|from|until|till|last|by|this|next|early|late|mid)[\s-]+"
    r"(?P<month>January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


class Precision(StrEnum):
    """How much of a date was written."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    DAY_OF_YEAR = "day-of-year"
    MONTH_OF_YEAR = "month-of-year"
    AMBIGUOUS = "ambiguous"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date or time of day at [start, end); parts not written are None.

    `written` is set only where the order of day and month cannot be known (03/04/2024),
    and for a time of day (HH:MM, 24 hours, no zone): such a date equals only itself.
    """

    start: int
    end: int
    precision: Precision
    year: int | None = None
    month: int | None = None
    day: int | None = None
    written: str = ""


def find_dates(text: str) -> list[WrittenDate]:
    """Return the dates and times of day in `text`, in order, none overlapping."""
    found: list[WrittenDate] = []
    taken = bytearray(len(text))
    # Every form but a bare month holds a digit.
    for pattern in _PATTERNS if _DIGIT.search(text) else ():
        for match in pattern.finditer(text):
            _keep(found, taken, match.start(), match.end(), _read(match))
    for pattern, name in ((_BARE_YEAR, "year"), (_BARE_MONTH, "month")):
        for match in pattern.finditer(text):
            _keep(found, taken, match.start(name), match.end(name), _read(match))
    return sorted(found, key=lambda date: date.start)


def bears_out(claim: WrittenDate, source: WrittenDate) -> bool:
    """Return whether `source` says everything `claim` says; a source may be more precise, never less."""
    if claim.written or source.written:
        return claim.written == source.written or (claim.precision is Precision.YEAR and claim.year == source.year)
    return all(
        mine is None or mine == theirs
        for mine, theirs in (
            (claim.year, source.year),
            (claim.month, source.month),
            (claim.day, source.day),
        )
    )


def _keep(found: list[WrittenDate], taken: bytearray, start: int, end: int, date: WrittenDate | None) -> None:
    if date is None or any(taken[start:end]):
        return
    taken[start:end] = b"\x01" * (end - start)
    found.append(WrittenDate(start, end, date.precision, date.year, date.month, date.day, date.written))


def _read(match: re.Match[str]) -> WrittenDate | None:
    parts = match.groupdict()
    if parts.get("hour"):
        return _time(parts)
    if parts.get("one"):
        return _numeric(parts)
    year = int(parts["year"]) if parts.get("year") else None
    day = int(parts["day"]) if parts.get("day") else None
    month: int | None = None
    if parts.get("m"):
        month = int(parts["m"])
    elif parts.get("month"):
        word = parts["month"]
        # "may" and "march" are also verbs: a month name without a year is written with a capital.
        if year is None and not word[0].isupper():
            return None
        month = MONTHS[word.lower()]
    return WrittenDate(0, 0, _precision(year, month, day), year, month, day)


def _precision(year: int | None, month: int | None, day: int | None) -> Precision:
    if day is not None:
        return Precision.DAY if year is not None else Precision.DAY_OF_YEAR
    if month is not None:
        return Precision.MONTH if year is not None else Precision.MONTH_OF_YEAR
    return Precision.YEAR


def _numeric(parts: dict[str, str | None]) -> WrittenDate | None:
    one, two, year = int(parts["one"] or 0), int(parts["two"] or 0), int(parts["year"] or 0)
    if not (1 <= one <= 31 and 1 <= two <= 31) or (one > 12 and two > 12):
        return None
    full_year = year if year >= 100 else None
    if full_year is not None and one > 12:
        return WrittenDate(0, 0, Precision.DAY, full_year, two, one)
    if full_year is not None and (two > 12 or one == two):
        return WrittenDate(0, 0, Precision.DAY, full_year, one, two)
    written = f"{one}/{two}/{year:02d}"
    return WrittenDate(0, 0, Precision.AMBIGUOUS, full_year, None, None, written)


def _time(parts: dict[str, str | None]) -> WrittenDate:
    hour = int(parts["hour"] or 0)
    half = (parts.get("half") or "").lower().replace(".", "")
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return WrittenDate(0, 0, Precision.TIME, written=f"{hour:02d}:{parts['minute']}")
