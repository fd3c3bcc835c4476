"""When a feed has been silent for longer than it usually is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

BURST_S: Final = 30.0
"""Messages closer together than this are one burst; its inside says nothing about how long a feed is silent."""
KEPT_GAPS: Final = 200
LEARNT_FROM: Final = 10
"""Pauses before a feed's own rhythm counts; until then it may be silent for LONGEST_S."""
SHORTEST_S: Final = 15 * 60.0
LONGEST_S: Final = 24 * 3600.0
_FACTOR: Final = 2.0
_PERCENTILE: Final = 0.95


def with_gap(gaps: Sequence[float], heard_at: datetime, now: datetime) -> list[float]:
    """Return the pauses with the one that ends now; a message of the same burst, or from the past, adds none."""
    pause = (now - heard_at).total_seconds()
    return [*gaps, round(pause, 1)][-KEPT_GAPS:] if pause >= BURST_S else list(gaps)


def may_be_silent_for(gaps: Sequence[float]) -> float:
    """Return after how many seconds of silence somebody has to look.

    Twice the pause that 95 of 100 of the latest pauses do not exceed, at least 15 minutes and at most a day.
    """
    if len(gaps) < LEARNT_FROM:
        return LONGEST_S
    usual = sorted(gaps)[min(int(len(gaps) * _PERCENTILE), len(gaps) - 1)]
    return min(max(_FACTOR * usual, SHORTEST_S), LONGEST_S)
