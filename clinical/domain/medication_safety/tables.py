"""The tables of the medication check, read once from the data files beside this module."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.provenance import KnowledgeTable, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinical.domain.provenance import KnowledgeRow, Trust

INGREDIENTS: Final = "ingredients"
PRODUCTS: Final = "products"
CLASSES: Final = "classes"
ALLERGIES: Final = "allergies"
INTERACTIONS: Final = "interactions"
EFFECTS: Final = "effects"
DUPLICATES: Final = "duplicates"
DOSE_LIMITS: Final = "dose_limits"
RENAL_LIMITS: Final = "renal_limits"
PREGNANCY: Final = "pregnancy"

# Tables that hold rules; the others name things.
RULES: Final = (ALLERGIES, INTERACTIONS, DUPLICATES, DOSE_LIMITS, RENAL_LIMITS, PREGNANCY)
NAMES: Final = (INGREDIENTS, PRODUCTS, CLASSES, EFFECTS)


def document(name: str) -> dict[str, Any]:
    """Return one data file as it stands."""
    text = files(__package__).joinpath("data").joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def table(name: str) -> KnowledgeTable:
    """Return one table; its public name starts with "medication_safety."."""
    return table_of(f"medication_safety.{name}", document(name))


def every_table() -> tuple[KnowledgeTable, ...]:
    """Return every table of the medication check."""
    return tuple(table(name) for name in (*NAMES, *RULES))


@cache
def words(name: str) -> frozenset[str]:
    """Return one of the lists of words that are no medicine: fillers, salts, local, inhaled."""
    return frozenset(document("words")["lists"][name].split())


def in_force(name: str, trust: Trust) -> Iterator[KnowledgeRow]:
    """Yield the rows of a table that may be used here."""
    return (row for row in table(name).rows if trust.allows(row.provenance, row.digest))
