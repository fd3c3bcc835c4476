"""How much of a medicine an order asks for, read from what the typed row keeps of its dosage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.medication_safety.names import MASS, decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clinical.domain.medication_safety.names import Drug

_PIECES: Final = r"tablets?|tabs?|capsules?|caps?|caplets?|pills?"
_UNIT: Final = "|".join(sorted(MASS, key=len, reverse=True)) + rf"|{_PIECES}|mls?|millilit(?:re|er)s?|cc"
_AMOUNT: Final = re.compile(
    rf"(?P<number>\d+(?:[.,]\d+)*)(?:\s*(?:-|\u2013|to)\s*(?P<upper>\d+(?:[.,]\d+)*))?\s*(?P<unit>{_UNIT})\b"
    r"(?!\s*/\s*(?:kg|m2|h\b|hr|hour|min|day|d\b))",
    re.IGNORECASE,
)
_PER_BODY: Final = re.compile(r"/\s*(?:kg|m2|h\b|hr\b|hours?\b|min)|per\s+(?:kg|m2|hour|minute)", re.IGNORECASE)
_SEVERAL: Final = re.compile(
    r"\bthen\b|\bfollowed by\b|\breduc\w+\b|\btaper\w*\b|\btitrat\w+\b|\bloading\b|\badjusted\b", re.IGNORECASE
)
_AS_NEEDED: Final = re.compile(r"\bas needed\b|\bprn\b|\bwhen required\b|\bif required\b|\bas required\b|\bif needed\b")
_WORDS: Final = {"once": 1, "one": 1, "twice": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "thrice": 3}
_COUNT: Final = r"(?P<n>\d+|once|one|twice|two|thrice|three|four|five|six)(?:\s+times)?"
_DAYS: Final = {"day": 1, "daily": 1, "week": 7, "weekly": 7, "month": 30, "monthly": 30}
# Patterns of how often, the first that fits counts; each gives doses a day.
_EVERY: Final = re.compile(
    r"(?:\bevery|\bq)\s*(?P<n>\d+|two|three|four|five|six)(?:\s*(?:-|to)\s*\d+)?\s*[- ]?"
    r"(?P<unit>h|hrs?|hours?|hourly|d|days?|w|weeks?|months?)\b"
)
_OFTEN: Final = re.compile(r"\b(?P<k>\d+|twice|two|three) (?:times )?every (?P<n>\d+) (?P<unit>days?|weeks?)\b")
_TIMES_OF_DAY: Final = (
    re.compile(r"\bmorning|\bmane\b"),
    re.compile(r"\bnoon|\bmidday|\blunch"),
    re.compile(r"\bevening|\bteatime|\bnight|\bbed"),
)
_HOURLY: Final = re.compile(r"\b(?P<n>\d+|two|three|four|six|eight)[- ]hourly\b")
_TIMES: Final = re.compile(
    rf"\b{_COUNT}(?:\s+(?:a|per|each|every)\s*|\s*/\s*|\s+)(?P<unit>day|daily|week|weekly|month|monthly)\b"
)
_SHORT: Final = (
    (re.compile(r"\b(?:every other day|alternate days?|on alternate days|qod)\b"), Decimal("0.5")),
    (re.compile(r"\b(?:qid|q\.i\.d|qds)\b"), Decimal(4)),
    (re.compile(r"\b(?:tid|t\.i\.d|tds|three times)\b"), Decimal(3)),
    (re.compile(r"\b(?:bid|b\.i\.d|bd|b\.d|twice)\b"), Decimal(2)),
    (re.compile(r"\b(?:once|every|each) week\b|\bweekly\b"), Decimal(1) / 7),
    (re.compile(r"\bmonthly\b|\b(?:once|every|each) month\b"), Decimal(1) / 30),
    (re.compile(
        r"\b(?:daily|every day|each day|od|o\.d|qd|q\.d|every morning|each morning|in the morning|mane|at night|"
        r"nightly|nocte|at bedtime|qhs|hs|every evening|in the evening|every night|before the evening meal)\b"
    ), Decimal(1)),
)  # fmt: skip
_HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Dose:
    """Milligrams of one ingredient: the largest at once, and a day on average where the order says how often.

    `why_not` says why an amount is not known; with an amount and no `daily_mg`, why the daily one is not.
    """

    single_mg: Decimal | None = None
    daily_mg: Decimal | None = None
    per_day: Decimal | None = None
    why_not: str = ""


def is_as_needed(dosage: str) -> bool:
    """Return whether the directions say that it is for use when needed."""
    return bool(_AS_NEEDED.search(dosage.lower()))


def doses(dosage: str, dose: str, timing: str, drug: Drug) -> Mapping[str, Dose]:
    """Return the dose of each ingredient; ranges by their upper end.

    Args:
        dosage: the directions as text.
        dose: the structured dose as text ("500 mg"), "" where there is none; it goes before the directions.
        timing: the structured timing in words, likewise.
        drug: what the medicine's name was read as.
    """
    source = dose or dosage
    if not source:
        return dict.fromkeys(drug.ingredients, Dose(why_not="no dose is recorded"))
    if _PER_BODY.search(source):
        return dict.fromkeys(drug.ingredients, Dose(why_not="the dose is given by weight, surface or rate"))
    if _SEVERAL.search(dosage):
        return dict.fromkeys(drug.ingredients, Dose(why_not="the dose changes with time or effect"))
    per_day = frequency(timing) or frequency(dosage)
    amounts = [(decimal(m["upper"] or m["number"]), m["unit"].lower()) for m in _AMOUNT.finditer(source)]
    return {one: _dose(drug, one, amounts, per_day) for one in drug.ingredients}


def _dose(drug: Drug, ingredient: str, amounts: list[tuple[Decimal, str]], per_day: Decimal | None) -> Dose:
    single = _single(drug, ingredient, amounts)
    if isinstance(single, str):
        return Dose(per_day=per_day, why_not=single)
    if per_day is None:
        return Dose(single, why_not="how often is not recorded")
    return Dose(single, single * per_day, per_day)


def _single(drug: Drug, ingredient: str, amounts: list[tuple[Decimal, str]]) -> Decimal | str:
    """Return milligrams at once, or why they are not known."""
    if not amounts:
        return "the unit of the dose is not known"
    masses = [amount * MASS[unit] for amount, unit in amounts if unit in MASS]
    if len(masses) == len(amounts) and len(drug.ingredients) > 1:
        if len(masses) != len(drug.ingredients):
            return "one dose is recorded for several ingredients"
        return masses[drug.ingredients.index(ingredient)]
    if masses:
        return masses[0] if len(set(masses)) == 1 else "more than one amount is recorded"
    if len(set(amounts)) > 1:
        return "more than one amount is recorded"
    amount, unit = amounts[0]
    per = "ml" if unit.startswith(("ml", "milli", "cc")) else ""
    for strength in drug.strengths:
        if strength.ingredient == ingredient and strength.per == per:
            return amount * strength.milligrams
    return "the strength is not in the medicine's name"


@lru_cache(maxsize=8192)
def frequency(text: str) -> Decimal | None:
    """Return doses a day, averaged over a week or month; the most for "every 4 to 6 hours"; None where unclear."""
    if not text:
        return None
    lowered = re.sub(r"\s+", " ", text.lower())
    if sum(bool(pattern.search(lowered)) for pattern in _TIMES_OF_DAY) > 1:
        return None
    if match := _OFTEN.search(lowered):
        every = _number(match["n"]) * {"d": 1, "w": 7}[match["unit"][0]]
        return _number(match["k"]) / every if every else None
    if match := _EVERY.search(lowered):
        every, unit = _number(match["n"]), match["unit"][0]
        if unit == "h":
            return Decimal(_HOURS_A_DAY) / every if every else None
        return 1 / (every * {"d": 1, "w": 7, "m": 30}[unit]) if every else None
    if match := _HOURLY.search(lowered):
        hours = {"eight": Decimal(8)}.get(match["n"]) or _number(match["n"])
        return Decimal(_HOURS_A_DAY) / hours if hours else None
    if match := _TIMES.search(lowered):
        return _number(match["n"]) / _DAYS[match["unit"]]
    return next((rate for pattern, rate in _SHORT if pattern.search(lowered)), None)


def _number(text: str) -> Decimal:
    return Decimal(_WORDS[text]) if text in _WORDS else decimal(text)
