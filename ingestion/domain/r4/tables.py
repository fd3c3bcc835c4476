"""Reads r4_tables.json: what HL7 FHIR R4 (4.0.1) says about each type, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec

CHOICE = "[x]"
ABSTRACT = frozenset({"Resource", "DomainResource"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    `name` is as in the standard, with "[x]" for a choice; `codes` names a list of `Tables.codes`, or is "".
    """

    name: str
    types: tuple[str, ...]
    required: bool
    repeats: bool
    codes: str = ""

    @property
    def is_choice(self) -> bool:
        """True for an element such as value[x], of which at most one form may be present."""
        return self.name.endswith(CHOICE)

    @property
    def stem(self) -> str:
        """The name without "[x]"."""
        return self.name.removesuffix(CHOICE)


@dataclass(frozen=True, slots=True)
class Tables:
    """Every type's elements, inherited ones first, and the closed code lists."""

    elements: dict[str, tuple[Element, ...]]
    resources: frozenset[str]
    codes: dict[str, tuple[str, ...]]


def _element(owner: str, row: list[Any]) -> Element:
    name, types, least, most, *codes = row
    if owner == "Resource" and name == "id":
        types = "id"  # the definition spells the type as a FHIRPath string; the standard's text says id
    if owner == "Narrative" and name == "div":
        least = 0  # publishing tools leave it out where they will generate it; such a text holds no words to lose
    return Element(name, tuple(types.split(" ")), least > 0, most == "*", codes[0] if codes else "")


def _with_inherited(types: dict[str, Any], name: str) -> tuple[Element, ...]:
    base = types[name]["base"]
    inherited = _with_inherited(types, base) if base else ()
    return inherited + tuple(_element(name, row) for row in types[name]["elements"])


@cache
def tables() -> Tables:
    """Return the tables, read once per process (about 3 ms)."""
    raw = resources.files(__package__).joinpath("r4_tables.json").read_bytes()
    document: dict[str, Any] = msgspec.json.decode(raw)
    types = document["types"]
    return Tables(
        elements={name: _with_inherited(types, name) for name in types},
        resources=frozenset(n for n, t in types.items() if t["kind"] == "resource") - ABSTRACT,
        codes={name: tuple(codes) for name, codes in document["codes"].items()},
    )


def is_resource_type(name: str) -> bool:
    """Return whether R4 has a concrete resource type of this name."""
    return name in tables().resources
