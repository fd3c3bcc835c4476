"""Name, sex and birth date of a Patient resource, and whether two sets contradict each other."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Demographics:
    """Folded name words, FHIR administrative gender and birthDate; empty where not given."""

    names: frozenset[str]
    gender: str
    birth_date: str


def fold(text: str) -> str:
    """Return the text without case and accents, for comparing and finding names."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def name_words(resource: dict[str, Any]) -> frozenset[str]:
    """Return the folded words of all names of a Patient resource."""
    parts: list[str] = []
    for name in resource.get("name", ()):
        parts.extend([str(name.get("family", "")), *map(str, name.get("given", ())), str(name.get("text", ""))])
    return frozenset(word for part in parts for word in fold(part).replace("-", " ").split())


def demographics_of(resource: dict[str, Any]) -> Demographics:
    """Return what a Patient resource says about who it is."""
    return Demographics(
        names=name_words(resource),
        gender=str(resource.get("gender", "")),
        birth_date=str(resource.get("birthDate", "")),
    )


def disagree(one: Demographics, other: Demographics) -> int:
    """Return how many of name, sex and birth date contradict each other; what is not given does not.

    Names contradict when they share no word, so that a change by marriage does not; partial birth
    dates contradict when neither begins with the other.
    """
    names = bool(one.names and other.names and not one.names & other.names)
    gender = bool(one.gender and other.gender and one.gender != other.gender)
    first, second = sorted((one.birth_date, other.birth_date), key=len)
    birth = bool(first and not second.startswith(first))
    return names + gender + birth
