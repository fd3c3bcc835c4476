"""What a check of medicines found, what it covered, and what it could not check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from clinical.domain.provenance import SourceStatus

if TYPE_CHECKING:
    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import KnowledgeRow, Trust

UNVERIFIED = "unverified"


class Severity(IntEnum):
    """How grave a finding is; greater is graver."""

    INFO = 0
    CAUTION = 1
    SEVERE = 2
    CONTRAINDICATED = 3

    @property
    def word(self) -> str:
        """Return the word for it."""
        return self.name.lower()


SEVERITIES = {one.word: one for one in Severity}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, written by code.

    `kind` is allergy-substance, allergy-class, allergy-cross, interaction, duplicate, dose, renal or pregnancy.
    `citations_from` are (fact, JSON path) of every side that the record holds. `row` is "table:row";
    `status` is checked, approved, or unverified for a row from memory.
    """

    kind: str
    severity: Severity
    text: str
    citations_from: tuple[tuple[Fact, Path], ...]
    row: str
    source: str
    edition: str
    status: str


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """The findings, gravest first, and each check that could not be made as "not checked: ... because ...".

    `known` of `medicines` had every ingredient in the table; `rows` are the rules in force.
    """

    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]
    medicines: int
    known: int
    rows: int

    @property
    def covered(self) -> str:
        """Return in one sentence what was checked; it never says that anything is safe."""
        if not self.rows:
            return "Medication check: not made, no approved table."
        if not self.medicines:
            return f"No medicine to check against {self.rows} table rows."
        plural = "" if self.medicines == 1 else "s"
        found = f"{len(self.findings)} finding{'' if len(self.findings) == 1 else 's'}"
        ending = found if self.findings else "no finding"
        incomplete = " Not everything could be checked." if self.not_checked else ""
        return (
            f"Checked {self.known} of {self.medicines} medicine{plural} against {self.rows} table rows; "
            f"{ending}.{incomplete}"
        )


def made(
    kind: str,
    severity: Severity,
    text: str,
    citations_from: tuple[tuple[Fact, Path], ...],
    *,
    row: KnowledgeRow,
    table: str,
    trust: Trust,
) -> Finding:
    """Return a finding with the row's provenance as it stands here."""
    status = trust.status(row.provenance, row.digest)
    return Finding(
        kind=kind,
        severity=severity,
        text=text,
        citations_from=tuple(dict.fromkeys(citations_from)),
        row=f"{table}:{row.id}",
        source=row.provenance.source,
        edition=row.provenance.edition,
        status=UNVERIFIED if status is SourceStatus.FROM_MEMORY else status.value,
    )
