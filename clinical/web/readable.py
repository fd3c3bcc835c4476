"""A FHIR R4 resource as label and value lines for reading; the exact stored words stand beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

_PLUMBING: Final = frozenset({
    "resourceType", "id", "meta", "text", "contained", "subject", "patient", "implicitRules", "extension",
    "modifierExtension", "data",
})  # fmt: skip
Json: TypeAlias = "bool | str | list[Json] | dict[str, Json] | None"
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Line:
    """One element: its name in words, and its value with the record's own digits."""

    label: str
    value: str


def readable(text: str) -> list[Line]:
    """Return the top-level elements of a resource that a person reads; [] when the text is not JSON."""
    try:
        # Digits stay as recorded: 5.10 must not become 5.1.
        resource = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        return []
    if not isinstance(resource, dict):
        return []
    lines = []
    for key, value in resource.items():
        words = _value(value)
        if key not in _PLUMBING and not key.startswith("_") and words:
            lines.append(Line(_label(key), words))
    return lines


def _label(key: str) -> str:
    words = _CAPITAL.sub(" ", key.removesuffix("CodeableConcept")).replace("[x]", "").lower()
    return words[:1].upper() + words[1:]


def _value(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_value, value)))
    return _element(value) if isinstance(value, dict) else ""


def _element(element: dict[str, Any]) -> str:
    for read in (_concept, _quantity, _period, _reference):
        words = read(element)
        if words:
            return words
    parts = ((key, _value(value)) for key, value in element.items() if key not in _PLUMBING)
    return ", ".join(f"{_label(key).lower()} {words}" for key, words in parts if words)


def _concept(element: dict[str, Any]) -> str:
    if not ("coding" in element or set(element) <= {"text", "id", "extension"}):
        return str(element.get("display", "")) if "code" in element and "system" in element else ""
    codings = [coding for coding in element.get("coding", ()) if isinstance(coding, dict)]
    names = [element.get("text"), *(c.get("display") for c in codings), *(c.get("code") for c in codings)]
    return str(next((name for name in names if name), ""))


def _quantity(element: dict[str, Any]) -> str:
    if not isinstance(element.get("value"), str) or ("system" in element and "unit" not in element):
        return ""
    parts = (element.get("comparator", "") + element["value"], element.get("unit") or element.get("code"))
    return " ".join(part for part in parts if part)


def _period(element: dict[str, Any]) -> str:
    if not element or not set(element) <= {"start", "end", "low", "high"}:
        return ""
    return " to ".join(
        filter(
            None,
            (_value(element.get("start") or element.get("low")), _value(element.get("end") or element.get("high"))),
        )
    )


def _reference(element: dict[str, Any]) -> str:
    return str(element.get("display") or element["reference"]) if "reference" in element else ""
