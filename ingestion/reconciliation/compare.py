"""Compares two sets of counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[str, str]
"""Whose (an opaque id, "row 12" for somebody not known here, "" for all patients) and the resource type."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One count that does not agree. `held_back` items of that type wait for a person and may be among the missing."""

    whose: str
    resource_type: str
    expected: int
    held: int
    held_back: int = 0

    @property
    def missing(self) -> int:
        """How many are not held; 0 where there are too many."""
        return max(0, self.expected - self.held)

    @property
    def extra(self) -> int:
        """How many are held beyond what was expected."""
        return max(0, self.held - self.expected)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result. `matched` is the sum of what is held of what was expected, so that extras make up for nothing."""

    expected: int
    held: int
    matched: int
    compared: int
    differences: tuple[Difference, ...]

    @property
    def missing(self) -> int:
        """How many of the expected resources are not held."""
        return self.expected - self.matched


def compare(expected: Mapping[Key, int], held: Mapping[Key, int], held_back: Mapping[str, int]) -> Comparison:
    """Compare counts of resources.

    Args:
        expected: what the sender says it has.
        held: what is held, of at least the same patients and types; what stands here alone is extra.
        held_back: items that wait for a person, by resource type.

    Returns:
        Totals and the counts that differ, the greatest difference first.
    """
    differences = []
    matched = 0
    keys = expected.keys() | held.keys()
    for key in keys:
        wanted, have = expected.get(key, 0), held.get(key, 0)
        matched += min(wanted, have)
        if wanted != have:
            waiting = held_back.get(key[1], 0) if wanted > have else 0
            differences.append(Difference(*key, wanted, have, waiting))
    differences.sort(key=lambda one: (-abs(one.expected - one.held), one.whose, one.resource_type))
    return Comparison(sum(expected.values()), sum(held.values()), matched, len(keys), tuple(differences))
