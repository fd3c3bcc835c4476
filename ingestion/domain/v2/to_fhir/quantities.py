"""An amount in one field with its unit in another, as Quantity, digits as sent."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def quantity(segment: Segment, number: int, unit: int) -> dict[str, Any]:
    """Return the amount of one field with the unit (CWE) of another; {} where the amount is no number."""
    digits = segment.get(number)
    if not _NUMBER.fullmatch(digits):
        return {}
    code, words, system = segment.get(unit), segment.get(unit, 2), segment.get(unit, 3).upper()
    named = {"system": "http://unitsofmeasure.org", "code": code} if code and system == "UCUM" else {}
    value = Decimal(digits if digits[0] != "." else f"0{digits}")
    return {"value": value, **clean({"unit": words or code}), **named}
