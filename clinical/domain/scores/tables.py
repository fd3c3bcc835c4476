"""The tables of formulas, bands and units as values, read once from the data files beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from clinical.domain.provenance import Provenance, SourceStatus, row_digest

if TYPE_CHECKING:
    from clinical.domain.provenance import Trust


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula's name, source, and the set of values it may be calculated from.

    `window` is the longest time between the values of one set, `limit` the age from which a value is
    not used, `warn` the age from which it is used and said to be old. `digest` is what a site approves: the
    row with the code lists and points that the calculation reads.
    """

    id: str
    title: str
    provenance: Provenance
    window: timedelta
    limit: timedelta
    warn: timedelta
    digest: str


@dataclass(frozen=True, slots=True)
class Bands:
    """What a total is called: (highest total of the band or None, words), ascending."""

    id: str
    score: str
    provenance: Provenance
    bands: tuple[tuple[Decimal | None, str], ...]
    digest: str

    def words(self, total: Decimal) -> str:
        """Return the words of the band that `total` lies in."""
        return next(words for highest, words in self.bands if highest is None or total <= highest)


@cache
def read(name: str) -> dict[str, Any]:
    """Return one data file of this package."""
    text = files("clinical.domain.scores").joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _provenance(row: dict[str, Any]) -> Provenance:
    return Provenance(row["source"], row["edition"], SourceStatus(row["status"]))


@cache
def formulas() -> dict[str, Formula]:
    """Return every formula by id."""
    return {
        row["id"]: Formula(
            id=row["id"],
            title=row["title"],
            provenance=_provenance(row),
            window=timedelta(hours=row["window_hours"]),
            limit=timedelta(hours=row["limit_hours"]),
            warn=timedelta(hours=row["warn_hours"]),
            digest=row_digest("scores/formulas", {**row, "reads": _reads(row["id"])}),
        )
        for row in read("formulas")["formulas"]
    }


def _reads(score: str) -> dict[str, Any]:
    """Return the other rows a formula rests on, so that an approval of the formula covers them."""
    items = read("items")["scores"].get(score, [])
    named = {key for item in items for key in item.get("evidence", ())}
    conditions = {row["id"]: row for row in read("conditions")["rows"] if row["id"] in named}
    return {"items": items, "conditions": conditions, "points": read("bands")["points"] if score == "news2" else {}}


@cache
def bands() -> tuple[Bands, ...]:
    """Return every table of bands."""
    return tuple(
        Bands(
            id=row["id"],
            score=row["score"],
            provenance=_provenance(row),
            bands=tuple((None if top is None else Decimal(str(top)), words) for top, words in row["bands"]),
            digest=row_digest("scores/bands", row),
        )
        for row in read("bands")["tables"]
    )


def sources() -> tuple[tuple[str, Provenance, str], ...]:
    """Return (name, provenance, digest) of every formula and band table, to count and to approve."""
    named = [(f"formula {one.id}", one.provenance, one.digest) for one in formulas().values()]
    return (*named, *((f"bands {one.id}", one.provenance, one.digest) for one in bands()))


def status_words(provenance: Provenance, digest: str, trust: Trust) -> str:
    """Return how far the source can be relied on here, in words."""
    return {
        SourceStatus.CHECKED: "checked against the text",
        SourceStatus.FROM_MEMORY: "unverified: from memory",
        SourceStatus.APPROVED: "approved by this site",
    }[trust.status(provenance, digest)]
