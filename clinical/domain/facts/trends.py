"""Trends: rising and falling need three points and a change of a stated size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.facts.conversion import convert, provenance, table
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import comparable, row_of, unit_of
from clinical.domain.provenance import DEMO, Trust, row_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact

TREND_POINTS: Final = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """How the last points moved: "rising", "falling", "steady", "varying" or "too few" (under three).

    `change` is newest minus oldest of `points`, exact, in `unit` as the newest result shows it; results in other units
    are compared by converted values. `needed` is the change, in the same unit, from which on it counts, and `rule` the
    threshold in words.
    """

    direction: str
    change: Decimal
    unit: str
    points: tuple[Fact, ...]
    needed: Decimal = Decimal(0)
    rule: str = ""


def trend(found: Sequence[Fact], *, points: int = TREND_POINTS, trust: Trust = DEMO) -> Trend:
    """Describe the last `points` results that can be compared with the newest one.

    Rising (falling) needs at least three points, each at or above (below) the one before, and a change from the oldest
    to the newest of at least the threshold; less than the threshold either way throughout is "steady", anything else
    "varying".
    """
    groups = comparable(found, trust=trust)
    if not groups:
        return Trend("too few", Decimal(0), "", ())
    last = groups[0][-points:]
    newest = row_of(last[-1][0])
    facts = tuple(fact for fact, _ in last)
    numbers = [number for _, number in last]
    change = numbers[-1] - numbers[0]
    if len(last) < TREND_POINTS:
        return Trend("too few", change, newest.value.unit, facts)
    needed, rule = _threshold(measure_key(newest).concept, unit_of(newest), numbers[0], trust)
    steps = [after - before for before, after in pairwise(numbers)]
    if max(numbers) - min(numbers) < needed or not any(steps):
        direction = "steady"
    elif abs(change) >= needed and all(step >= 0 for step in steps):
        direction = "rising"
    elif abs(change) >= needed and all(step <= 0 for step in steps):
        direction = "falling"
    else:
        direction = "varying"
    return Trend(direction, change, newest.value.unit, facts, needed, rule)


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return {row["analyte"]: row for row in table()["trends"]["rows"]}


def _threshold(concept: str, unit: str, oldest: Decimal, trust: Trust) -> tuple[Decimal, str]:
    """Return the change that counts, in `unit`, and its wording; the default where no row may be used."""
    row = _rows().get(concept)
    if row is not None and trust.allows(provenance("trends"), row_digest("conversion/trends", row)):
        if "percent" in row:
            return _share(oldest, row["percent"])
        if row["unit"] == unit:
            return Decimal(row["absolute"]), row["absolute"]
        if (scale := _difference(row["absolute"], row["unit"], unit)) is not None:
            return scale, f"{row['absolute']} in the unit of the table"
    return _share(oldest, table()["trends"]["default"])


def _share(oldest: Decimal, percent: str) -> tuple[Decimal, str]:
    return abs(oldest) * Decimal(percent) / 100, f"{percent} % of the oldest"


def _difference(size: str, unit: str, into: str) -> Decimal | None:
    """Return a difference in another unit: of two converted values, since scales may start elsewhere."""
    ends = [convert(number, unit, into) for number in ("0", size)]
    return None if ends[0] is None or ends[1] is None else ends[1].number - ends[0].number
