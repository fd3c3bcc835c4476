"""NEWS2, qSOFA and CURB-65: points for measured values, pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.scores.tables import read

if TYPE_CHECKING:
    from collections.abc import Mapping

_WHOLE: Final = Decimal(1)
_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One set of observations for NEWS2.

    Rates per minute, oxygen saturation in %, pressure in mmHg, temperature in degrees Celsius. `scale_2` only where
    it is recorded for the patient. `consciousness` is alert, new confusion, voice, pain or unresponsive.
    """

    respiratory_rate: Decimal
    spo2: Decimal
    on_oxygen: bool
    systolic: Decimal
    heart_rate: Decimal
    consciousness: str
    temperature: Decimal
    scale_2: bool = False


def news2(vitals: Vitals) -> Mapping[str, int]:
    """Return the NEWS2 points of each parameter; the aggregate is their sum (0-20).

    Royal College of Physicians 2017, chart 1. The chart is in whole numbers and tenths of a degree, so
    values are first rounded half up to these.
    """
    saturation = "spo2"
    if vitals.scale_2:
        saturation = f"spo2-scale-2-{'oxygen' if vitals.on_oxygen else 'air'}"
    table = read("bands")["points"]
    return {
        "respiratory-rate": _banded("respiratory-rate", vitals.respiratory_rate),
        "spo2": _banded(saturation, vitals.spo2),
        "oxygen": table["oxygen"]["oxygen" if vitals.on_oxygen else "air"],
        "systolic": _banded("systolic", vitals.systolic),
        "heart-rate": _banded("heart-rate", vitals.heart_rate),
        "consciousness": table["consciousness"][vitals.consciousness],
        "temperature": _banded("temperature", vitals.temperature, _TENTH),
    }


def qsofa(*, respiratory_rate: Decimal, systolic: Decimal, altered_mentation: bool) -> Mapping[str, int]:
    """Return the qSOFA points: rate 22 /min or more, systolic 100 mmHg or less, altered mentation.

    Seymour et al., JAMA 2016;315:762-774.
    """
    return {
        "respiratory-rate": int(respiratory_rate >= Decimal(22)),
        "systolic": int(systolic <= Decimal(100)),
        "mentation": int(altered_mentation),
    }


def curb65(
    *, confusion: bool, urea: Decimal, respiratory_rate: Decimal, systolic: Decimal, diastolic: Decimal, age: int
) -> Mapping[str, int]:
    """Return the CURB-65 points: confusion, urea above 7 mmol/L, rate 30 /min or more, low pressure, age 65 or more.

    Low pressure is systolic below 90 or diastolic 60 mmHg or less. Lim et al., Thorax 2003;58:377-382.
    """
    return {
        "confusion": int(confusion),
        "urea-nitrogen": int(urea > Decimal(7)),
        "respiratory-rate": int(respiratory_rate >= Decimal(30)),
        "pressure": int(systolic < Decimal(90) or diastolic <= Decimal(60)),
        "age": int(age >= 65),
    }


def _banded(parameter: str, value: Decimal, step: Decimal = _WHOLE) -> int:
    rounded = value.quantize(step, rounding=ROUND_HALF_UP)
    rows = read("bands")["points"][parameter]
    points: int = next(points for highest, points in rows if highest is None or rounded <= Decimal(str(highest)))
    return points
