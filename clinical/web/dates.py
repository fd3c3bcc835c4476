"""Dates as the pages write them: 05-Mar-2024, never 03/05/24, and no more precise than recorded."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FHIR: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01])(?P<time>T.+)?)?)?"
)
DAYS_OF_A_NEWBORN: Final = 28


def show_fhir(value: str, zone: tzinfo) -> str:
    """Return a FHIR date or dateTime for reading; a time in the site's zone, to the minute.

    "2024" stays "2024", "2024-03" becomes "Mar-2024". What is no FHIR date is returned as it is.
    """
    match = _FHIR.fullmatch(value)
    if match is None:
        return value
    if match["time"]:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return show_moment(moment, zone)
    month = _MONTHS[int(match["month"]) - 1] if match["month"] else ""
    return "-".join(part for part in (match["day"], month, match["year"]) if part)


def show_day(value: str, zone: tzinfo) -> str:
    """Return a FHIR date or dateTime for reading, without the time of day."""
    shown = show_fhir(value, zone)
    return shown.partition(" ")[0] if _FHIR.fullmatch(value) else shown


def show_moment(moment: datetime, zone: tzinfo) -> str:
    """Return a time as "05-Mar-2024 14:05", in the site's zone when it carries one of its own."""
    here = moment.astimezone(zone) if moment.tzinfo else moment
    return f"{here.day:02d}-{_MONTHS[here.month - 1]}-{here.year:04d} {here:%H:%M}"


def show_age(born: str, today: date) -> str:
    """Return the age on `today`: days under 4 weeks, weeks under 1 year, months under 2, years above.

    A birth date without day or month gives "about"; one that is missing or in the future gives "".
    """
    match = _FHIR.fullmatch(born[:10])
    if match is None:
        return ""
    if not match["day"]:
        years = today.year - int(match["year"]) - bool(match["month"] and int(match["month"]) > today.month)
        return f"about {years}y" if years >= 0 else ""
    try:
        birth = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return ""
    days = (today - birth).days
    if days < 0:
        return ""
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if days < DAYS_OF_A_NEWBORN:
        return f"{days}d"
    if months < 12:
        return f"{days // 7}w"
    if months < 24:
        return f"{months}m"
    return f"{months // 12}y"
