"""A typed row together with the resource version it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from clinical.domain.facts.naming import analyte
from clinical.domain.facts.tables import by_loinc, by_term, measurements
from clinical.domain.projection.rows import IN_ERROR, ObservationRow, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.projection.rows import TypedRow

_LOINC = "http://loinc.org|"
RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of one stored version: `resource` is "Type/id", `version` the stored version's id."""

    row: TypedRow
    resource: str
    version: str


@dataclass(frozen=True, slots=True, order=True)
class MeasureKey:
    """What a measurement measures, in what. Two keys differ when blood and urine do.

    `concept` is an id of the table, or the analyte's comparable name as the record gives it. `sample`
    is "" for vital signs and where neither record nor table says.
    """

    concept: str
    sample: str = ""


def measure_key(row: ObservationRow) -> MeasureKey:
    """Return the key of an observation: by LOINC code, else by name; the record's sample wins."""
    return _key(row.codes, row.names, row.sample)


@lru_cache(maxsize=8192)
def _key(codes: tuple[str, ...], names: tuple[str, ...], sample: str) -> MeasureKey:
    concept, coded_sample = "", ""
    for code in codes:
        if code.startswith(_LOINC) and code[len(_LOINC) :] in by_loinc():
            concept, coded_sample = by_loinc()[code[len(_LOINC) :]]
            break
    if not concept:
        analytes = [analyte(name) for name in names]
        concept = next((by_term()[name] for name in analytes if name in by_term()), "")
        concept = concept or (analytes[0] if analytes else next(iter(codes), ""))
    known = measurements().get(concept)
    if known is None:
        return MeasureKey(concept, sample)
    if known.group != "lab":
        return MeasureKey(concept)
    return MeasureKey(concept, sample or coded_sample or known.sample)


def of_kind(facts: Iterable[Fact], kind: type[RowT]) -> list[tuple[Fact, RowT]]:
    """Return the facts whose row is of this class, with the row, without those entered in error."""
    return [(fact, fact.row) for fact in facts if isinstance(fact.row, kind) and fact.row.status != IN_ERROR]
