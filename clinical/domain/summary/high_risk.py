"""High-risk medicines: the ones a handover must name, by a table with a source for each class."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.facts.naming import drug_words, words
from clinical.domain.provenance import DEMO, Provenance, SourceStatus, Trust, row_digest

if TYPE_CHECKING:
    from clinical.domain.projection.rows import MedicationRow

TABLE: Final = "high-risk-medicines"


@dataclass(frozen=True, slots=True)
class RiskClass:
    """One class of high-risk medicines; `digest` is what an approval of the row names."""

    id: str
    name: str
    members: frozenset[str]
    provenance: Provenance
    digest: str


@cache
def risk_classes() -> tuple[RiskClass, ...]:
    """Return the classes of the table, in its order."""
    table: dict[str, Any] = json.loads(files(__package__).joinpath("high_risk.json").read_text(encoding="utf-8"))
    return tuple(
        RiskClass(
            row["id"],
            row["name"],
            frozenset(word for member in row["members"] for word in words(member)),
            Provenance(row["source"], row["edition"], SourceStatus(row["status"])),
            row_digest(TABLE, row),
        )
        for row in table["rows"]
    )


def risk_of(row: MedicationRow, *, trust: Trust = DEMO) -> RiskClass | None:
    """Return the first class that a medicine belongs to by one of its names or ingredients.

    Classes the site may not use (`trust`) are passed over.
    """
    named = {word for name in (*row.names, row.text, *row.ingredients) for word in (*drug_words(name), *words(name))}
    return next(
        (one for one in risk_classes() if one.members & named and trust.allows(one.provenance, one.digest)), None
    )
