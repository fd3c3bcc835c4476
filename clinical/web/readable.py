"""A FHIR R4 resource as label and value lines for reading; the exact stored words stand beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from clinical.domain.json_spans import SpanNotFoundError, locate_member

_PLUMBING: Final = frozenset({
    "resourceType", "id", "meta", "text", "contained", "subject", "patient", "implicitRules", "extension",
    "modifierExtension", "data",
})  # fmt: skip
Json: TypeAlias = "bool | str | list[Json] | dict[str, Json] | None"
# The type at the end of a choice element's name: valueQuantity, effectiveDateTime (FHIR R4, "choice of types").
_TYPE: Final = re.compile(
    r"(?<=[a-z])(?:Quantity|CodeableConcept|String|DateTime|Period|Boolean|Integer|Range|Ratio|Reference|Age)$"
)
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Line:
    """One element: its name in words, its value with the record's own digits, and whether it was cited."""

    label: str
    value: str
    cited: bool = False


def readable(text: str, start: int = 0, end: int = 0) -> list[Line]:
    """Return the top-level elements of a resource that a person reads; [] when the text is not JSON.

    Those that share a character with [start, end) of the text are marked as cited.
    """
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
            lines.append(Line(_label(key), words, _overlaps(text, key, start, end)))
    return lines


def readable_quote(quote: str) -> str:
    """Return the words of a quoted value or `"key": value`; the quote itself when it is neither."""
    for text in (quote, "{" + quote + "}"):
        try:
            read = json.loads(text, parse_float=str, parse_int=str)
        except ValueError:
            continue
        members = read.values() if text is not quote else [read]
        return "; ".join(filter(None, map(_value, members))) or quote
    return quote


def _overlaps(text: str, key: str, start: int, end: int) -> bool:
    try:
        first, last = locate_member(text, [key])
    except SpanNotFoundError:
        return False
    return first < end and start < last


def _label(key: str) -> str:
    words = _CAPITAL.sub(" ", _TYPE.sub("", key)).lower()
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
    if isinstance(element.get("text"), str):
        return str(element["text"])
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
