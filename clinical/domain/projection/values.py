"""FHIR R4 value[x], reference ranges and quantities, with the record's own digits."""

from __future__ import annotations

import re
from typing import Final

from clinical.domain.projection.elements import (
    Path,
    Resource,
    as_dict,
    as_list,
    as_number,
    as_str,
    concept,
    first_code,
)
from clinical.domain.projection.rows import ReferenceRange, Value

_UCUM: Final = "http://unitsofmeasure.org"
# UCUM annotations and codes that read badly; the left side as in UCUM, the right as printed on reports.
_SHOWN: Final = {"1": "", "Cel": "°C", "[degF]": "°F", "mm[Hg]": "mmHg"}
_ANNOTATION: Final = re.compile(r"\{([^}]*)\}")


def shown_unit(element: Resource) -> str:
    """Return the unit as the record shows it, its UCUM code where it shows none."""
    unit = as_str(element.get("unit")) or as_str(element.get("code"))
    if _ANNOTATION.fullmatch(unit):  # "{score}", "{count}": a bare number
        return ""
    return _SHOWN[unit] if unit in _SHOWN else _ANNOTATION.sub(lambda found: found[1].replace("_", " "), unit)


def ucum_code(element: Resource) -> str:
    """Return the UCUM code, "" when the unit is not coded in UCUM."""
    return as_str(element.get("code")) if as_str(element.get("system")) == _UCUM else ""


def quantity_text(value: object) -> str:
    """Return a Quantity as "<0.01 ng/mL", digits as recorded; "" without a number."""
    element = as_dict(value)
    number = as_number(element.get("value"))
    return f"{as_str(element.get('comparator'))}{number} {shown_unit(element)}".strip() if number else ""


def quantity(value: object) -> Value:
    """Read a Quantity; type "none" when it has no number."""
    element = as_dict(value)
    number = as_number(element.get("value"))
    if not number:
        return Value()
    return Value(
        type="quantity",
        text=quantity_text(element),
        number=number,
        comparator=as_str(element.get("comparator")),
        unit=shown_unit(element),
        ucum=ucum_code(element),
    )


def _pair(element: Resource, kind: str, ends: tuple[str, str], joint: str) -> Value:
    low, high = (as_dict(element.get(end)) for end in ends)
    texts = quantity_text(low), quantity_text(high)
    if not any(texts):
        return Value()
    unit = shown_unit(high) or shown_unit(low)
    if kind == "range" and all(texts) and shown_unit(low) in ("", unit):
        shown = f"{as_number(low.get('value'))}{joint}{texts[1]}"
    elif all(texts):
        shown = f"{texts[0]}{joint}{texts[1]}"
    else:
        shown = f"{texts[0]} or more" if texts[0] else f"up to {texts[1]}"
    return Value(
        type=kind,
        text=shown,
        low=as_number(low.get("value")),
        high=as_number(high.get("value")),
        unit=unit,
        ucum=ucum_code(high) or ucum_code(low),
    )


def read_value(element: Resource) -> tuple[Value, Path]:
    """Return the value[x] of an Observation or component, and its path; type "none" when absent.

    See https://hl7.org/fhir/R4/observation.html
    """
    for name, raw in element.items():
        if name.startswith("value") and raw is not None and (value := _read(name, raw)).type != "none":
            return value, (name,)
    return Value(), ()


def _read(name: str, raw: object) -> Value:
    match name:
        case "valueQuantity":
            return quantity(raw)
        case "valueCodeableConcept":
            read = concept(raw)
            return Value(type="codeable", text=read.text, codes=read.codes) if read.text else Value()
        case "valueBoolean":
            return Value(type="boolean", text="yes" if raw else "no") if isinstance(raw, bool) else Value()
        case "valueInteger" | "valueDecimal":
            return Value(type="integer", text=as_number(raw), number=as_number(raw)) if as_number(raw) else Value()
        case "valueRange":
            return _pair(as_dict(raw), "range", ("low", "high"), "–")  # noqa: RUF001 - an en dash between numbers
        case "valueRatio":
            return _pair(as_dict(raw), "ratio", ("numerator", "denominator"), " : ")
        case "valueSampledData":
            return Value(type="other", text="sampled data (not shown)")
        case "valuePeriod":
            period = as_dict(raw)
            ends = [as_str(period.get("start")), as_str(period.get("end"))]
            return Value(type="time", text=" to ".join(filter(None, ends))) if any(ends) else Value()
        case "valueString" | "valueDateTime" | "valueTime":
            kind = "string" if name == "valueString" else "time"
            return Value(type=kind, text=as_str(raw)) if as_str(raw) else Value()
        case _:
            return Value()


def reference_ranges(value: object) -> tuple[ReferenceRange, ...]:
    """Read Observation.referenceRange; entries without a bound or text are left out."""
    ranges = []
    for item in map(as_dict, as_list(value)):
        low, high = as_dict(item.get("low")), as_dict(item.get("high"))
        read = ReferenceRange(
            low=as_number(low.get("value")),
            high=as_number(high.get("value")),
            unit=shown_unit(high) or shown_unit(low),
            ucum=ucum_code(high) or ucum_code(low),
            text=as_str(item.get("text")),
            meaning=first_code(item.get("type")),
        )
        if read.low or read.high or read.text:
            ranges.append(read)
    return tuple(ranges)
