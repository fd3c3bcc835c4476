"""Times of day in one form: "0640", "four in the morning" and "half past nine" as on a 24-hour clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.lexicon.tables import number_words

if TYPE_CHECKING:
    from collections.abc import Callable

_HOUR: Final = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|1[0-2]|[1-9]"
_NOON: Final = 12
# "at 2200" is a time, "at 2019" hardly; four figures that begin with 0 are one wherever they stand.
_FOUR: Final = re.compile(
    r"(?P<before>\b(?:at|onset|@|until|due|by|since|around|about) )?(?<![\d.,/:-])"
    r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?:\s?(?:h|hrs|hours)\b)?"
    r"(?![\d/:-]|[.,]\d| ?(?:mg|ml|mL|mcg|g|kcal|m|units?)\b)"
)
_SPOKEN: Final = re.compile(
    rf"\b(?P<hour>{_HOUR})(?:[:.](?P<minute>[0-5]\d))?(?: o'clock)?,? ?"
    r"(?P<part>a\.?m\.?\b|p\.?m\.?\b|in the (?:early )?(?:morning|afternoon|evening)\b|at night\b)",
    re.IGNORECASE,
)
_MINUTES: Final = {"half": 30, "quarter": 15, "a quarter": 15, "five": 5, "ten": 10, "twenty": 20, "twenty-five": 25}
_PAST: Final = re.compile(
    rf"\b(?P<which>half|(?:a )?quarter|five|ten|twenty-five|twenty) (?P<way>past|to) (?P<hour>{_HOUR})\b"
    r"(?! ?(?:mg|%|/))"
    r"(?P<part>,? in the (?:early )?(?:morning|afternoon|evening)\b| at night\b| ?[ap]\.?m\.?\b)?",
    re.IGNORECASE,
)


def on_the_clock(text: str) -> str:
    """Return the text with its times of day as HH:MM; without morning or evening an hour is taken as written."""
    if not any(character.isdigit() for character in text) and not _WORDED.search(text):
        return text
    for pattern, written in _READERS:
        text = pattern.sub(written, text)
    return text


def _four(match: re.Match[str]) -> str:
    if match["before"] is None and not match["hour"].startswith("0"):
        return match.group()
    year_like = match["hour"] in {"19", "20"} and match["before"] not in {"at ", "@ "}
    if year_like and match["minute"] not in {"00", "30"}:
        return match.group()
    return _time(match)


def _time(match: re.Match[str]) -> str:
    return f"{match['before'] or ''}{match['hour']}:{match['minute']}"


def _number(hour: str) -> int:
    return number_words().get(hour.lower()) or int(hour)


def _spoken(match: re.Match[str]) -> str:
    hour = _number(match["hour"]) % _NOON
    part = match["part"].lower().replace(".", "")
    if part == "pm" or part.endswith(("afternoon", "evening", "night")):
        hour += _NOON
    return f"{hour:02d}:{match['minute'] or '00'}"


def _past(match: re.Match[str]) -> str:
    hour, minute = _number(match["hour"]), _MINUTES[match["which"].lower()]
    if match["way"].lower() == "to":
        if match["which"].lower() != "quarter" and match["part"] is None:
            return match.group()  # "ten to twelve" may count something
        hour, minute = hour - 1, 60 - minute
    part = (match["part"] or "").lower().replace(".", "").strip()
    if part == "pm" or part.endswith(("afternoon", "evening", "night")):
        hour = hour % _NOON + _NOON
    return f"{hour:02d}:{minute:02d}"


_WORDED: Final = re.compile(r"\b(?:past|quarter|o'clock|a\.?m|p\.?m|morning|afternoon|evening|night)\b", re.IGNORECASE)
_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (_FOUR, _four),
    (_PAST, _past),
    (_SPOKEN, _spoken),
)
