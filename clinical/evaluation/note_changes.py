"""Changes that make a true sentence of a note untrue in one thing: (kind, change) in the order of their report.

Each takes a sentence and the evidence it comes from, and returns the changed sentence, or None where no change is
sure to be unsupported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from clinical.domain.dates import MONTHS, find_dates
from clinical.domain.lexicon.match import Found, find_concepts
from clinical.domain.lexicon.tables import Concept, Kind, concepts, family_words
from clinical.domain.lexicon.words import Token, tokens
from clinical.domain.quantity import find_quantities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNITS = {
    "mg": "g", "g": "mg", "mcg": "mg", "mL": "L", "cm": "mm", "mm": "cm", "kg": "lb", "pounds": "kilograms",
    "days": "weeks", "weeks": "months", "months": "weeks", "years": "months", "hours": "days", "minutes": "hours",
    "day": "week", "week": "month", "month": "year", "year": "month", "mg/dL": "mmol/L", "ng/mL": "mg/mL", "%": "mg",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<=\d )(" + "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True)) + r")(?![\w/-])"
)
_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:denies|denied)(?: any)?\b|\bno (?=\w+)|\bwithout\b")
_HAS = re.compile(r"\b(?:endorses|reports|has|had|have|is|are|was|were) (?!not\b|no\b|been\b|to\b)")
_SUBJECT = re.compile(r"^(?:The patient|He|She|Mr\.? \w+|Mrs\.? \w+|Ms\.? \w+) (?=(?:has|had|was|is|denies|takes)\b)")
_SEVERE = {"mild": "severe", "severe": "mild", "slight": "severe", "moderate": "mild", "minimal": "marked"}
_OFTEN = {"once": "twice", "twice": "once", "daily": "weekly", "weekly": "daily"}
_FEWEST = 4  # letters of a name that is put in another's place
_CLINICAL = (Kind.CONDITION,)


def _value(sentence: str, evidence: str) -> str | None:
    held = {str(one.value) for one in find_quantities(evidence)} | set(re.findall(r"\d+(?:\.\d+)?", evidence))
    for one in find_quantities(sentence):
        written = sentence[one.start : one.end]
        digits = re.search(r"\d+(?:\.\d+)?", written)
        if digits is None:
            continue
        other = _another_number(digits.group(), held)
        start = one.start + digits.start()
        return sentence[:start] + other + sentence[start + len(digits.group()) :]
    return None


def _another_number(digits: str, held: set[str]) -> str:
    whole, point, rest = digits.partition(".")
    for step in (2, 3, 5, 7, 11, 13, 17, 29, 41):
        other = f"{int(whole) + step}{point}{rest}"
        if other not in held and not any(number.startswith(other) for number in held):
            return other
    return f"{int(whole) + 1009}{point}{rest}"


def _unit(sentence: str, evidence: str) -> str | None:
    match = _UNIT.search(sentence)
    if match is None:
        return None
    other = _UNITS[match[1]]
    if re.search(rf"\d[\s-]*{re.escape(other)}\b", evidence) or other.rstrip("s") in sentence.split():
        return None
    return sentence[: match.start()] + other + sentence[match.end() :]


def _date(sentence: str, evidence: str) -> str | None:
    for one in find_dates(sentence):
        written = sentence[one.start : one.end]
        year = re.search(r"(?:19|20)\d\d", written)
        if year is not None:
            other = str(int(year.group()) - 3)
            changed = written.replace(year.group(), other)
        else:
            month = next((word for word in re.findall(r"[A-Za-z]+", written) if word.lower() in MONTHS), None)
            if month is None:
                continue
            other = _another_month(month)
            changed = written.replace(month, other)
        if other.lower() not in evidence.lower():
            return sentence[: one.start] + changed + sentence[one.end :]
    return None


def _another_month(month: str) -> str:
    names = [name.capitalize() for name in MONTHS if len(name) > len("june") or name in {"may", "june", "july"}]
    return names[(names.index(month.capitalize()) + 5) % len(names)] if month.capitalize() in names else "October"


def _not_denied(sentence: str, evidence: str) -> str | None:
    """Take a denial away, where all it denies is named nowhere else."""
    match = _DENIED.search(sentence)
    if match is None or len(_DENIED.findall(sentence)) > 1 or re.search(r"\b(?:not|never|nor|neither)\b", sentence):
        return None
    after = _named(tokens(sentence[match.end() :]), _CLINICAL)
    if not after or _times(after[0].concept, evidence) > 1:
        return None
    word = match.group().split()[0].lower()
    instead = "reports " if word.startswith("den") else "with " if word == "without" else "has "
    if word == "no" and (
        match.start() == 0 or not re.search(r"\b(?:has|had|is|are|was|were|be)\s*$", sentence[: match.start()])
    ):
        instead = "There is " if match.start() == 0 else ""
    if word == "no" and instead == "has ":
        instead = ""
    return sentence[: match.start()] + instead + sentence[match.end() :].lstrip()


def _denied(sentence: str, evidence: str) -> str | None:
    """Deny what the sentence says, where it says it once and nothing else of it is denied."""
    if re.search(r"\b(?:no|not|denies|denied|without|never|negative|if|could|may|ruled)\b|n't", sentence.lower()):
        return None
    match = re.match(r"^(?:The patient|He|She|Mr\.? \w+|Ms\.? \w+) (?P<verb>endorses|reports|has|is|was) ", sentence)
    if match is None or not _named(tokens(sentence), _CLINICAL):
        return None
    if any(_times(found.concept, evidence) > 1 for found in _named(tokens(sentence), _CLINICAL)):
        return None
    verb = match["verb"]
    instead = {"endorses": "denies", "reports": "denies", "has": "does not have", "is": "is not", "was": "was not"}[
        verb
    ]
    if verb == "has" and re.match(r"(?:a |an )?\w+ed\b|been\b|had\b", sentence[match.end() :]):
        return None
    return sentence[: match.start("verb")] + instead + sentence[match.end("verb") :]


def _side(sentence: str, evidence: str) -> str | None:
    sides = {one.lower() for one in _SIDE.findall(evidence)}
    match = _SIDE.search(sentence)
    if match is None or len(sides) != 1 or re.search(r"bilateral|both", evidence, re.IGNORECASE):
        return None
    other = "right" if match[1].lower() == "left" else "left"
    if re.search(r"\bleft (?:in|the|for|him|her|untreated)\b", sentence):
        return None
    return (
        sentence[: match.start()] + (other.capitalize() if match[1][0].isupper() else other) + sentence[match.end() :]
    )


def _swapped(kinds: tuple[Kind, ...]) -> Callable[[str, str], str | None]:
    def change(sentence: str, evidence: str) -> str | None:
        words = tokens(sentence)
        for found in _named(words, kinds):
            other = _rival(found.concept, evidence)
            if other is not None:
                start, end = words[found.first].start, words[found.last - 1].end
                return sentence[:start] + other + sentence[end:]
        return None

    return change


def _rival(concept: Concept, evidence: str) -> str | None:
    """Return the name of another concept of this kind that the evidence speaks of in no way."""
    held = {found.concept.id for found in find_concepts(tokens(evidence))}
    wider = frozenset().union(*(concepts()[one].wider for one in held)) if held else frozenset()
    others = [
        one
        for one in concepts().values()
        if one.kind is concept.kind and one.id != concept.id
        and not (one.wider & held or concept.id in one.wider or one.id in wider)
        and one.names[0].isalpha() and one.names[0].islower() and len(one.names[0]) >= _FEWEST
        and not (one.wider - {one.id} and one.wider - {one.id} <= concept.wider and one.id in concept.wider)
    ]  # fmt: skip
    return others[crc32(concept.id.encode()) % len(others)].names[0] if others else None


def _relative(sentence: str, evidence: str) -> str | None:
    match = _SUBJECT.match(sentence)
    if match is None or any(word.low.removesuffix("'s") in family_words() for word in tokens(evidence)):
        return None
    return None if not _named(tokens(sentence), _CLINICAL) else "Her mother " + sentence[match.end() :]


def _word(table: dict[str, str]) -> Callable[[str, str], str | None]:
    pattern = re.compile(r"\b(" + "|".join(table) + r")\b", re.IGNORECASE)

    def change(sentence: str, evidence: str) -> str | None:
        match = pattern.search(sentence)
        if match is None or len(pattern.findall(sentence)) > 1:
            return None
        other = table[match[1].lower()]
        if re.search(rf"\b{other}", evidence, re.IGNORECASE):
            return None
        return (
            sentence[: match.start()]
            + (other.capitalize() if match[1][0].isupper() else other)
            + sentence[match.end() :]
        )

    return change


def _named(words: list[Token], kinds: Iterable[Kind]) -> list[Found]:
    return [found for found in find_concepts(words) if found.concept.kind in kinds]


def _times(concept: Concept, evidence: str) -> int:
    """Count how often the evidence names a concept, a kind of it, or what it is a kind of."""
    return sum(1 for found in find_concepts(tokens(evidence)) if found.concept.wider & concept.wider)


CHANGES: tuple[tuple[str, Callable[[str, str], str | None]], ...] = (
    ("value", _value),
    ("unit", _unit),
    ("date", _date),
    ("negation-gone", _not_denied),
    ("negation-added", _denied),
    ("laterality", _side),
    ("drug", _swapped((Kind.DRUG,))),
    ("test", _swapped((Kind.TEST, Kind.VITAL))),
    ("condition", _swapped((Kind.CONDITION,))),
    ("subject", _relative),
    ("severity", _word(_SEVERE)),
    ("frequency", _word(_OFTEN)),
)
