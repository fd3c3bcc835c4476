"""The synonym tables of this package, read once. The record's own names come first; these only add some."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from clinical.domain.facts.naming import plain


@dataclass(frozen=True, slots=True)
class Measurement:
    """A test or vital sign. `sample` is what is meant when nobody says; `parts` the ids of its components."""

    id: str
    name: str
    group: str
    sample: str
    terms: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A drug, problem or vaccine: its comparable name, other names, and drug classes."""

    name: str
    terms: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Tests asked for by one name: its comparable names, LOINC codes of such reports, ids of the members."""

    name: str
    terms: tuple[str, ...]
    loinc: frozenset[str]
    members: tuple[str, ...]


def _read(file: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath(file).read_text(encoding="utf-8"))
    return read


@cache
def measurements() -> dict[str, Measurement]:
    """Return the tests and vital signs by id."""
    return {
        item["id"]: Measurement(
            id=item["id"],
            name=item["name"],
            group=item["group"],
            sample=item["sample"],
            terms=tuple(dict.fromkeys(map(plain, [item["name"], *item["synonyms"]]))),
            parts=tuple(item.get("parts", ())),
        )
        for item in _read("concepts.json")["measurements"]
    }


@cache
def by_loinc() -> dict[str, tuple[str, str]]:
    """Return (measurement id, sample) by LOINC code."""
    return {
        code: (item["id"], sample)
        for item in _read("concepts.json")["measurements"]
        for sample, codes in item["loinc"].items()
        for code in codes
    }


@cache
def by_term() -> dict[str, str]:
    """Return the measurement id by comparable name."""
    return {term: item.id for item in measurements().values() for term in item.terms}


def _terms(file: str, key: str) -> tuple[Term, ...]:
    return tuple(
        Term(
            plain(item["name"]),
            tuple(dict.fromkeys(map(plain, [item["name"], *item["synonyms"]]))),
            tuple(map(plain, item.get("classes", ()))),
        )
        for item in _read(file)[key]
    )


@cache
def drugs() -> tuple[Term, ...]:
    """Return medicines with brands and classes."""
    return _terms("drugs.json", "drugs")


@cache
def drug_classes() -> tuple[Term, ...]:
    """Return drug classes with their lay names ("water tablet")."""
    return _terms("drugs.json", "classes")


@cache
def classes_by_use() -> frozenset[str]:
    """Return drug classes that say what a drug is for, not what it is: being in one of them makes no cross-reaction."""
    return frozenset(map(plain, _read("drugs.json")["by_use"]))


@cache
def problems() -> tuple[Term, ...]:
    """Return problems with lay and short names."""
    return _terms("terms.json", "conditions")


@cache
def investigations() -> tuple[Term, ...]:
    """Return investigations and operations with their short names ("echo", "c-section")."""
    return _terms("terms.json", "investigations")


@cache
def vaccines() -> tuple[Term, ...]:
    """Return vaccines with lay and short names."""
    return _terms("terms.json", "vaccines")


@cache
def panels() -> dict[str, Panel]:
    """Return the panels by comparable name, each under all of its names."""
    found = [
        Panel(
            plain(item["name"]),
            tuple(dict.fromkeys(map(plain, [item["name"], *item["synonyms"]]))),
            frozenset(item["loinc"]),
            tuple(item["members"]),
        )
        for item in _read("panels.json")["panels"]
    ]
    return {term: panel for panel in found for term in panel.terms}
