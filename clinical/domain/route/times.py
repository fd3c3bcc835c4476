"""Time expressions of a question, each with one defined reading.

"in 2024", "since March" (the latest March not in the future), "since 2023-05-01", "before May 2022",
"last two years", "past 6 months", "this year", "yesterday". "In the last year" is the 12 months up to today;
"last year" alone is the calendar year before, and so with months. A day is a calendar day in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS: Final = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "couple of": 2, "few": 3,
}  # fmt: skip
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE: Final = (
    rf"(?:(?P<iso>\d{{4}}-\d{{2}}(?:-\d{{2}})?)|(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -])?"
    rf"(?P<month>{_MONTH})"
    rf"(?:[ -](?:(?P<dayafter>\d{{1,2}})(?:st|nd|rd|th)?,? )?(?P<year>\d{{4}}))?|(?P<only>(?:19|20)\d{{2}}))"
)
_POINT: Final = re.compile(
    rf"\b(?P<relation>since|after|from|before|until|prior to|in|during|on|as of)\s+(?:the )?(?:year )?{_DATE}\b",
)
_MONTH_AND_YEAR: Final = re.compile(
    rf"\b(?P<relation>)(?P<iso>)(?P<only>)(?P<dayafter>)(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -])?"
    rf"(?P<month>{_MONTH})[ -](?P<year>(?:19|20)\d{{2}})\b"
)
_SPAN: Final = re.compile(
    r"\b(?:(?:in|over|during|within|for) )?(?:the )?(?:last|past|previous)\s+"
    rf"(?P<amount>\d+|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})?\s*(?P<unit>day|week|month|year)s?\b",
)
_BEFORE: Final = re.compile(r"(?<!the )(?<!this )\blast (?P<unit>month|year)\b(?! or\b)")
_OVER: Final = re.compile(r"\b(?:in|over|during|within|for|since) $")
_NAMED: Final = re.compile(r"\b(?:(?:so far )?this (?P<this>week|month|year)|(?P<name>yesterday))\b")
_DAYS: Final = {"day": 1, "week": 7}
_YEAR_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time as asked, to be resolved on the day of the answer.

    `relation` is since, before, in, last, previous or this. `year`, `month`, `day` are 0 where not said; `amount` and
    `unit` ("day", "week", "month", "year") belong to last and this.
    """

    words: str
    relation: str
    year: int = 0
    month: int = 0
    day: int = 0
    amount: int = 0
    unit: str = ""

    @property
    def is_plain(self) -> bool:
        """Return whether the words leave nothing to be read into them: a year was said, or "this year"."""
        return bool(self.year) or self.relation == "this"

    def bounds(self, today: date) -> tuple[datetime | None, datetime | None]:
        """Return [from, to) as timezone-aware moments; None is open."""
        if self.relation == "last":
            start = _back(today, self.amount, self.unit)
            return _midnight(start), None
        if self.relation == "previous":
            end = today.replace(day=1) if self.unit == "month" else today.replace(month=1, day=1)
            return _midnight(_back(end, 1, self.unit)), _midnight(end)
        if self.relation == "this":
            starts = {"week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}
            return _midnight(starts.get(self.unit, today.replace(month=1, day=1))), None
        year = self.year or (today.year if (self.month, self.day or 1) <= (today.month, today.day) else today.year - 1)
        start = date(year, self.month or 1, self.day or 1)
        if self.day:
            after = start + timedelta(days=1)
        elif self.month:
            after = date(year + self.month // _YEAR_MONTHS, self.month % _YEAR_MONTHS + 1, 1)
        else:
            after = date(year + 1, 1, 1)
        match self.relation:
            case "since":
                return _midnight(start), None
            case "after":
                return _midnight(after), None
            case "before":
                return None, _midnight(start)
            case _:
                return _midnight(start), _midnight(after)


def find_window(text: str) -> tuple[Window | None, str]:
    """Return the first time expression of a question (lower case) and the text without it.

    "last" alone ("the last potassium") is no time expression; a date that does not exist is left in the text.
    """
    if (match := _BEFORE.search(text)) and not _OVER.search(text[: match.start()]):
        found = Window(match[0], "previous", unit=match["unit"])
    elif match := _SPAN.search(text):
        amount = match["amount"] or "1"
        number = int(amount) if amount.isdigit() else _NUMBERS[amount]
        found = Window(match[0], "last", amount=min(number, 9999), unit=match["unit"])
    elif match := _NAMED.search(text):
        unit = match["this"]
        found = Window(match[0], "this", unit=unit) if unit else Window(match[0], "last", amount=1, unit="day")
    elif (match := _POINT.search(text) or _MONTH_AND_YEAR.search(text)) and (read := _point(match)):
        found = read  # "on admission jan 2026" is meant as "in january 2026"
    else:
        return None, text
    return found, f"{text[: match.start()]} {text[match.end() :]}"


def _point(match: re.Match[str]) -> Window | None:
    relation = {"after": "after", "before": "before", "until": "before", "prior to": "before"}.get(
        match["relation"],
        "since" if match["relation"] in ("since", "from") else "in",
    )
    if match["iso"]:
        year, month, day = ([int(part) for part in match["iso"].split("-")] + [0])[:3]
    else:
        month = _MONTHS.index(match["month"][:3]) + 1 if match["month"] else 0
        day = int(match["day"] or match["dayafter"] or 0)
        year = int(match["year"] or match["only"] or 0)
    try:
        date(year or 2000, month or 1, day or 1)
    except ValueError:
        return None
    return Window(match[0], relation, year, month, day)


def _back(today: date, amount: int, unit: str) -> date:
    if unit in _DAYS:
        return today - timedelta(days=min(amount * _DAYS[unit], (today - date.min).days))
    months = max(today.year * 12 + today.month - 1 - amount * (12 if unit == "year" else 1), 12)
    for day in range(today.day, 0, -1):  # 31 March less a month is the last day of February
        try:
            return date(months // 12, months % 12 + 1, day)
        except ValueError:
            continue
    return today


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Between:
    """A stretch of time already worked out: [start, end), timezone-aware, None where open; `relation` as asked."""

    words: str
    start: datetime | None
    end: datetime | None
    relation: str = ""

    def bounds(self, _today: date) -> tuple[datetime | None, datetime | None]:
        """Return [from, to)."""
        return self.start, self.end
