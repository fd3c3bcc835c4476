"""Formulas that give a number: pure, over values in the stated units. Rounding is the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import log
from typing import Final

_MALE: Final = (Decimal("0.9"), Decimal("-0.302"), Decimal(1))
_FEMALE: Final = (Decimal("0.7"), Decimal("-0.241"), Decimal("1.012"))


def rounded(value: Decimal, places: str = "1") -> Decimal:
    """Return `value` rounded half up to the place of `places` ("1", "0.1")."""
    return value.quantize(Decimal(places), rounding=ROUND_HALF_UP)


def ckd_epi_2021(*, creatinine: Decimal, age: int, female: bool) -> Decimal:
    """Return the estimated glomerular filtration rate in mL/min/1.73 m2.

    142 * min(Scr/k, 1)^a * max(Scr/k, 1)^-1.200 * 0.9938^age * 1.012 for women; k 0.7 and a -0.241
    for women, 0.9 and -0.302 for men. CKD-EPI creatinine equation of 2021, adults.

    Args:
        creatinine: serum creatinine in mg/dL, above 0, IDMS-traceable.
        age: whole years, 18 or more.
        female: the sex the equation is to be used for.
    """
    kappa, alpha, factor = _FEMALE if female else _MALE
    ratio = creatinine / kappa
    low, high = min(ratio, Decimal(1)), max(ratio, Decimal(1))
    return Decimal(142) * low**alpha * high ** Decimal("-1.200") * Decimal("0.9938") ** age * factor


def cockcroft_gault(*, creatinine: Decimal, age: int, weight: Decimal, female: bool) -> Decimal:
    """Return the estimated creatinine clearance in mL/min: (140 - age) * kg / (72 * mg/dL), 15 % less in women.

    Cockcroft and Gault, Nephron 1976;16:31-41. `weight` is in kg, the actual weight in the paper.
    """
    clearance = Decimal(140 - age) * weight / (Decimal(72) * creatinine)
    return clearance * Decimal("0.85") if female else clearance


@dataclass(frozen=True, slots=True, kw_only=True)
class Liver:
    """Inputs of MELD 3.0: bilirubin and creatinine in mg/dL, sodium in mmol/L, albumin in g/dL, INR."""

    bilirubin: Decimal
    creatinine: Decimal
    inr: Decimal
    sodium: Decimal
    albumin: Decimal
    female: bool
    dialysis: bool = False


def meld_3(liver: Liver) -> Decimal:
    """Return MELD 3.0 before rounding, for an adult; the score shown is whole, from 6 to 40.

    Bilirubin, INR and creatinine are at least 1.0; creatinine at most 3.0, and 3.0 on dialysis (twice
    within the week); sodium within 125-137, albumin within 1.5-3.5. Kim et al., Gastroenterology 2021.
    """
    bilirubin, inr = (log(max(1.0, float(value))) for value in (liver.bilirubin, liver.inr))
    creatinine = log(3.0 if liver.dialysis else min(3.0, max(1.0, float(liver.creatinine))))
    sodium = 137.0 - min(137.0, max(125.0, float(liver.sodium)))
    albumin = 3.5 - min(3.5, max(1.5, float(liver.albumin)))
    score = (
        1.33 * liver.female
        + 4.56 * bilirubin
        + 0.82 * sodium
        - 0.24 * sodium * bilirubin
        + 9.09 * inr
        + 11.14 * creatinine
        + 1.85 * albumin
        - 1.83 * albumin * creatinine
        + 6
    )
    return Decimal(repr(score))


def corrected_calcium(*, calcium: Decimal, albumin: Decimal) -> Decimal:
    """Return calcium in mg/dL + 0.8 * (4.0 - albumin in g/dL), in mg/dL."""
    return calcium + Decimal("0.8") * (Decimal("4.0") - albumin)


def anion_gap(*, sodium: Decimal, chloride: Decimal, bicarbonate: Decimal, potassium: Decimal = Decimal(0)) -> Decimal:
    """Return sodium (+ potassium) - chloride - bicarbonate, all in mmol/L. Kraut and Madias, CJASN 2007;2:162-174."""
    return sodium + potassium - chloride - bicarbonate


def body_mass_index(*, weight: Decimal, height: Decimal) -> Decimal:
    """Return kg / m2; `weight` in kg, `height` in cm, above 0."""
    metres = height / Decimal(100)
    return weight / (metres * metres)
