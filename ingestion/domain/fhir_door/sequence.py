"""Event numbers of one subscription: what is new, what came before, and what did not come.

Numbers rise by one; handshakes and heartbeats do not raise them. Source: Subscriptions R5 Backport implementation
guide 1.1.0, "Event numbers" and "Error handling".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_MISSING: Final = 1000
"""Most numbers of one gap that are noted singly; beyond it only the catch-up itself says what was missed."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a notification changes: the highest number known, and numbers that have not come.

    `late` are numbers at or below the highest known: repeated, or filling a gap.
    """

    highest: int
    missing: tuple[int, ...] = ()
    late: frozenset[int] = frozenset()

    @property
    def has_gap(self) -> bool:
        """Whether a catch-up is due."""
        return bool(self.missing)


def step(highest: int | None, numbers: Iterable[int], count: int | None) -> Step:
    """Return what follows from a notification.

    Args:
        highest: the highest number known so far; None when nothing was heard of this subscription yet.
        numbers: of the events in it.
        count: the events since the subscription began, as the sender says; None where it does not.
    """
    came = sorted(set(numbers))
    if highest is None:
        # What was sent before anybody listened here is nothing that was missed.
        highest = came[0] - 1 if came else (count or 0)
    top = max([highest, *came, count or 0])
    new = {number for number in came if number > highest}
    unseen = range(highest + 1, min(top, highest + MOST_MISSING + len(new)) + 1)
    return Step(
        highest=top,
        missing=tuple(number for number in unseen if number not in new),
        late=frozenset(number for number in came if number <= highest),
    )
