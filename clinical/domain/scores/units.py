"""Units of the scores' inputs, converted by code; a unit that is not listed is refused, never guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from clinical.domain.quantity import ucum
from clinical.domain.scores.tables import read

if TYPE_CHECKING:
    from collections.abc import Mapping


def unit_for(quantity: str) -> str:
    """Return the UCUM unit that the formulas take a quantity in."""
    unit: str = read("units")["quantities"][quantity]["unit"]
    return unit


def to_formula_unit(quantity: str, value: Decimal, unit: str) -> Decimal | None:
    """Return `value` in the formula's unit, exact decimals; None when the unit is not listed for the quantity.

    Args:
        quantity: a key of the units table ("creatinine").
        value: the number as recorded.
        unit: the UCUM code, or any spelling of it; "" where none is recorded.
    """
    listed: Mapping[str, Mapping[str, str]] = read("units")["quantities"][quantity]["from"]
    factor = listed.get(unit)
    if factor is None:
        factor = listed.get(ucum(unit))
    if factor is None:
        return None
    shifted = value - Decimal(factor.get("minus", "0"))
    return shifted * Decimal(factor.get("multiply", "1")) / Decimal(factor.get("divide", "1"))
