"""How much of a set of orders the names table covers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.medication_safety.medicines import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.projection.rows import MedicationRow
    from clinical.domain.provenance import Trust


@dataclass(frozen=True, slots=True)
class Coverage:
    """Orders, those of which every ingredient is known, and the unknown names with how often each stands."""

    orders: int
    known: int
    unknown: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Return the share of orders whose every ingredient is known; 0 without an order."""
        return self.known / self.orders if self.orders else 0.0


def coverage(rows: Iterable[MedicationRow], *, trust: Trust) -> Coverage:
    """Return how many of the orders and statements the names in force cover."""
    orders, known = 0, 0
    unknown: Counter[str] = Counter()
    for row in rows:
        medicine = ordered(None, row, trust)
        orders += 1
        if medicine.drug.is_known:
            known += 1
        else:
            unknown.update(medicine.drug.unknown or (medicine.label,))
    return Coverage(orders, known, tuple(sorted(unknown.items(), key=lambda one: (-one[1], one[0]))))
