"""KDIGO 2012: acute kidney injury by serum creatinine and urine output, pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TWO_DAYS: Final = timedelta(hours=48)
WEEK: Final = timedelta(days=7)
# KDIGO gives 0.3 mg/dL and 26.5 umol/L as the same threshold; the latter is 0.29977 mg/dL.
_RISE: Final = Decimal("26.5") / Decimal("88.4")
_FOURFOLD: Final = Decimal("4.0")


@dataclass(frozen=True, slots=True)
class Creatinine:
    """A serum creatinine in mg/dL and when it was taken."""

    value: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Injury:
    """The stage (0: no creatinine criterion met) with the baseline it is measured against and the criteria met."""

    stage: int
    baseline: Creatinine | None = None
    criteria: tuple[str, ...] = ()


def stage_by_creatinine(index: Creatinine, earlier: Sequence[Creatinine], *, replacement: bool = False) -> Injury:
    """Return the KDIGO stage of `index` against the values of the 7 days before it.

    The definition is a rise of 0.3 mg/dL within 48 hours, or to 1.5 times the lowest value of the prior 7 days;
    an older baseline, which KDIGO leaves to presumption, is not used. Stage 1: 1.5-1.9 times or the rise;
    2: 2.0-2.9 times; 3: 3.0 times, or 4.0 mg/dL or more once the definition is met, or renal replacement therapy.
    """
    before = [one for one in earlier if timedelta(0) < index.at - one.at <= WEEK]
    recent = [one for one in before if index.at - one.at <= TWO_DAYS]
    baseline = min(before, key=lambda one: one.value, default=None)
    ratio = index.value / baseline.value if baseline is not None else Decimal(0)
    lowest = min(recent, key=lambda one: one.value, default=None)
    criteria = []
    if lowest is not None and index.value - lowest.value >= _RISE:
        criteria.append("rise of 0.3 mg/dL (26.5 umol/L) or more within 48 hours")
    if ratio >= Decimal("1.5"):
        criteria.append("1.5 times the baseline or more within 7 days")
    if replacement:
        return Injury(3, baseline, (*criteria, "renal replacement therapy"))
    if not criteria:
        return Injury(0, baseline)
    if index.value >= _FOURFOLD:
        criteria.append("creatinine 4.0 mg/dL (353.6 umol/L) or more")
    stage = 3 if ratio >= 3 or index.value >= _FOURFOLD else 2 if ratio >= 2 else 1
    return Injury(stage, baseline, tuple(criteria))


def stage_by_urine(rate: Decimal, hours: Decimal) -> int:
    """Return the KDIGO stage of a urine output in mL/kg/h kept over `hours`; 0 when no criterion is met."""
    if (rate < Decimal("0.3") and hours >= 24) or (rate == 0 and hours >= 12):
        return 3
    if rate < Decimal("0.5"):
        return 2 if hours >= 12 else 1 if hours >= 6 else 0
    return 0


def unsteady(values: Sequence[Creatinine]) -> tuple[Creatinine, Creatinine] | None:
    """Return two values that show creatinine changing, up or down, as fast as in kidney injury; None when none do.

    A difference of 0.3 mg/dL within 48 hours, or 1.5 times within 7 days.
    """
    for later in values:
        for earlier in values:
            gap = later.at - earlier.at
            high, low = max(later.value, earlier.value), min(later.value, earlier.value)
            if timedelta(0) < gap <= WEEK and (
                high >= low * Decimal("1.5") or (gap <= TWO_DAYS and high - low >= _RISE)
            ):
                return earlier, later
    return None
