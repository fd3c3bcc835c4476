"""Numbers with their units as written in clinical text. Spellings are normalised to UCUM, values never converted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.dates import find_dates
from clinical.domain.lexicon.tables import number_words, unit_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.dates import WrittenDate

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_COMPARATORS = {
    "<": "<", ">": ">", "\u2264": "<=", "\u2265": ">=", "<=": "<=", ">=": ">=", "~": "~",
    "less than": "<", "below": "<", "under": "<", "greater than": ">", "more than": ">", "above": ">",
    "over": ">", "at least": ">=", "at most": "<=", "up to": "<=", "about": "~", "approximately": "~",
    "approx": "~", "around": "~", "nearly": "~", "almost": "~", "roughly": "~",
    "no more than": "<=", "not more than": "<=", "nothing more than": "<=", "no less than": ">=", "not less than": ">=",
}  # fmt: skip
_COMPARATOR = (
    r"(?P<comparator>[<>]=?|[\u2264\u2265~]|\b(?:"
    + "|".join(sorted((word for word in _COMPARATORS if word[0].isalpha()), key=len, reverse=True))
    + r")\b)"
)
_WORD_NUMBERS = {word: Decimal(value) for word, value in number_words().items()}
_MARKER = re.compile(r"\[\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*\]")
_FROM = re.compile(r"\bfrom\s+\Z")
_LIST_NUMBER = re.compile(r"(?m)^\s*(?:\d{1,2}[.)]\s+|#\d{1,2}\b)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number at [start, end) of its text, its unit included.

    `unit` is a UCUM code, or "" where none is written. `high` is the second number of a range or of a
    pair such as a blood pressure; `pair` tells these two apart. `comparator` is one of "", <, <=, >, >=, ~.
    """

    start: int
    end: int
    value: Decimal
    unit: str = ""
    comparator: str = ""
    high: Decimal | None = None
    pair: bool = False


def find_quantities(text: str, dates: Sequence[WrittenDate] | None = None) -> list[Quantity]:
    """Return the quantities of `text` in order. Dates, list numbers and citation markers are none.

    `dates` are those of the same text, where the caller has them already.
    """
    masked = _masked(text, find_dates(text) if dates is None else dates)
    found = [one for match in _pattern().finditer(masked) for one in _apart(_quantity(match), match)]
    # "one" without a unit is more often a pronoun than a number.
    return [one for one in found if one.unit or text[one.start : one.end].lower() != "one"]


def same_value(claim: Quantity, source: Quantity) -> bool:
    """Return whether the numbers are the same, comparator and range included.

    4.0 equals 4, and "about 6 months" is borne out by "6 months" and the reverse.
    """
    return (
        claim.value == source.value
        and claim.high == source.high
        and claim.pair == source.pair
        and claim.comparator.replace("~", "") == source.comparator.replace("~", "")
    )


def unit_borne_out(claim: Quantity, source: Quantity) -> bool:
    """Return whether the claim's unit is the source's; a claim may leave the unit out, never add one.

    A blood pressure written as a pair is in mm[Hg] whether or not that is written.
    """
    if claim.unit in {"", source.unit}:
        return True
    return claim.pair and claim.unit == "mm[Hg]" and not source.unit


def _masked(text: str, dates: Sequence[WrittenDate]) -> str:
    spans = [(date.start, date.end) for date in dates]
    spans += [match.span() for pattern in (_MARKER, _LIST_NUMBER) for match in pattern.finditer(text)]
    if not spans:
        return text
    characters = list(text)
    for start, end in spans:
        characters[start:end] = "\x00" * (end - start)
    return "".join(characters)


def _quantity(match: re.Match[str]) -> Quantity:
    word = match["word"]
    value = _WORD_NUMBERS[word.lower()] if word else _decimal(match["value"])
    high = _decimal(match["low"]) if match["low"] else _decimal(match["high"]) if match["high"] else None
    comparator = (match["comparator"] or "").lower()
    return Quantity(
        start=match.start(),
        end=match.end(),
        value=value,
        unit=ucum(match["unit"] or ""),
        comparator=_COMPARATORS.get(comparator, ""),
        high=high,
        pair=match["low"] is not None,
    )


def _apart(quantity: Quantity, match: re.Match[str]) -> list[Quantity]:
    """Return both values of a change: "from 212 to 38 mg/L" is no range."""
    if match["high"] is None or quantity.high is None or not _FROM.search(match.string, 0, match.start()):
        return [quantity]
    if not re.search(r"\bto\b", match.string[match.end("value") : match.start("high")]):
        return [quantity]
    middle = match.start("high")
    return [
        replace(quantity, end=middle, high=None),
        replace(quantity, start=middle, value=quantity.high, high=None),
    ]


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def ucum(spelling: str) -> str:
    """Return the UCUM code of a written unit, "" for none; `mg per dl` and `mg/dL` are one."""
    spelling = " ".join(spelling.strip(" -").replace("-", " ").split())
    names = unit_names()
    if spelling in names:
        return names[spelling]
    if spelling.lower() in names:
        return names[spelling.lower()]
    parts = re.split(r"\s*/\s*|\s+per\s+", spelling)
    codes = [names.get(part) or names.get(part.lower(), part) for part in parts if part]
    return "/".join(codes)


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted(unit_names(), key=len, reverse=True)
    # A lone letter is a unit only in its own case; longer spellings in any.
    several = "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in names if len(name) > 1)
    single = "|".join(re.escape(name) for name in names if len(name) == 1)
    one = rf"(?:(?i:{several})|{single})(?![A-Za-z0-9])"
    bound = r"(?:\s*/\s*|\s+per\s+)(?:\d+(?:\.\d+)?\s*)?"
    area = r"(?:1\.73\s*m(?:2|\u00b2))"
    unit = rf"(?P<unit>{one}(?:{bound}(?:{area}|{one}))*)"
    words = "|".join(_WORD_NUMBERS)
    return re.compile(
        rf"(?:{_COMPARATOR}\s*)?"
        rf"(?<![\w.,/])(?:(?P<value>[+-]?{_NUMBER})(?:(?:\s*/\s*|\s+out\s+of\s+)(?P<low>\d{{1,3}})(?![\w/]|\.\d)"
        rf"|\s*(?:-|\u2013|to)\s*(?P<high>{_NUMBER})(?![\w/]))?"
        rf"|\b(?P<word>(?i:{words}))\b)"
        rf"(?:[\s-]*{unit})?(?![A-Za-z0-9]|\.\d)"
    )
