"""Every clinical table and formula of the product, so that it can be counted, shown and approved row by row.

To add one: a line in `_SOURCES`. A table whose rows are checked with `Trust.allows` is registered under the very name
and content that its digests are made of; otherwise an approval would not reach it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from clinical.domain import medication_safety
from clinical.domain.facts import conversion
from clinical.domain.provenance import KnowledgeRow, KnowledgeTable, row_digest, table_of
from clinical.domain.scores import sources as score_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class UnknownTableError(Exception):
    """No such table, or no such row of it. `reason` is `unknown-table` or `unknown-row`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _file(name: str, package: str, file: str, *keys: str) -> Callable[[], Iterable[KnowledgeTable]]:
    """Return a loader of one data file of a domain package; `keys` are its lists of rows, "rows" unless told."""

    def load() -> Iterable[KnowledgeTable]:
        text = files(f"clinical.domain.{package}").joinpath(file).read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text)
        return [table_of(name, document, *keys)]

    return load


def _scores() -> Iterable[KnowledgeTable]:
    rows = (
        KnowledgeRow(name.replace(" ", "-"), {"id": name}, provenance, digest)
        for name, provenance, digest in score_sources()
    )
    return [KnowledgeTable("scores", tuple(rows))]


def _conversion() -> Iterable[KnowledgeTable]:
    held = sorted(conversion.rows(), key=lambda one: one[0])
    for name, group in groupby(held, key=lambda one: one[0]):
        rows = (
            KnowledgeRow(str(row.get("id") or f"row-{place}"), row, provenance, row_digest(name, row))
            for place, (_, row, provenance) in enumerate(group, start=1)
        )
        yield KnowledgeTable(name, tuple(rows))


_SOURCES: Final[tuple[Callable[[], Iterable[KnowledgeTable]], ...]] = (
    medication_safety.every_table,
    _scores,
    _conversion,
    _file("schedule/series", "facts", "schedule.json", "series"),
    _file("high-risk-medicines", "summary", "high_risk.json"),
    # Names and words by which questions and records are understood; they state nothing about treatment.
    _file("facts.concepts", "facts", "concepts.json", "measurements"),
    _file("facts.drugs", "facts", "drugs.json", "drugs"),
    _file("facts.terms", "facts", "terms.json", "conditions", "vaccines"),
    _file("facts.panels", "facts", "panels.json", "panels"),
    _file("lexicon.conditions", "lexicon", "conditions.json"),
    _file("lexicon.drugs", "lexicon", "drugs.json"),
    _file("lexicon.tests", "lexicon", "tests.json"),
    _file("lexicon.units", "lexicon", "units.json"),
    _file("lexicon.vaccines", "lexicon", "vaccines.json"),
    _file("lexicon.vitals", "lexicon", "vitals.json"),
    _file("scores.conditions", "scores", "conditions.json"),
    _file("summary.links", "summary", "links.json"),
)


@cache
def tables() -> dict[str, KnowledgeTable]:
    """Return every table by name, in the order they are listed.

    Raises:
        ValueError: two tables have one name.
    """
    found: dict[str, KnowledgeTable] = {}
    for load in _SOURCES:
        for table in load():
            if table.name in found:
                raise ValueError(f"two tables {table.name}")
            found[table.name] = table
    return found


def table_named(name: str) -> KnowledgeTable:
    """Return one table.

    Raises:
        UnknownTableError: `unknown-table`.
    """
    if name not in tables():
        raise UnknownTableError("unknown-table")
    return tables()[name]


def row_of(table: str, row: str) -> KnowledgeRow:
    """Return one row of a table.

    Raises:
        UnknownTableError: `unknown-table` or `unknown-row`.
    """
    for one in table_named(table).rows:
        if one.id == row:
            return one
    raise UnknownTableError("unknown-row")
