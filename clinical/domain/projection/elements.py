"""Reading FHIR R4 elements without trusting their shape.

A required element may be missing or of a wrong type in a resource that was stored all the same;
a reader here then gives the empty value and never raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path: TypeAlias = tuple[str | int, ...]
Resource: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Concept:
    """A CodeableConcept: codes as "system|code", every display text, and the text to show."""

    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    text: str = ""


def as_dict(value: object) -> Resource:
    """Return the JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the JSON array; a lone value becomes an array of one, nothing an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def as_str(value: object) -> str:
    """Return the text, stripped of surrounding white space, or ""."""
    return value.strip() if isinstance(value, str) else ""


def as_number(value: object) -> str:
    """Return a JSON number's digits as recorded.

    Exact where the reader kept the text or a Decimal (`json.loads(..., parse_float=Decimal)`);
    a float gives its shortest form, which has lost trailing zeros.
    """
    if isinstance(value, bool):
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() and abs(int(value.as_tuple().exponent)) < 40 else str(value)
    if isinstance(value, (int, float)):
        return str(value)
    return as_str(value)


def coding_key(coding: Resource) -> str:
    """Return "system|code" of a Coding, or "" when it has no code."""
    code = as_str(coding.get("code"))
    return f"{as_str(coding.get('system'))}|{code}" if code else ""


def concept(value: object) -> Concept:
    """Read a CodeableConcept, or a lone Coding."""
    element = as_dict(value)
    codings = [as_dict(coding) for coding in as_list(element.get("coding"))]
    if not codings and "code" in element:
        codings = [element]
    codes = tuple(filter(None, map(coding_key, codings)))
    text = as_str(element.get("text"))
    names = unique([text, *(as_str(coding.get("display")) for coding in codings)])
    shown = names[0] if names else next((code.partition("|")[2] for code in codes), "")
    return Concept(codes, names, shown)


def concepts(value: object) -> Concept:
    """Read a list of CodeableConcepts as one: all codes and names; texts joined by "; "."""
    read = [concept(item) for item in as_list(value)]
    return Concept(
        tuple(code for item in read for code in item.codes),
        unique(name for item in read for name in item.names),
        "; ".join(unique(item.text for item in read)),
    )


def first_code(value: object) -> str:
    """Return the first coding's bare code, else the text in lower case: for status concepts."""
    read = concept(value)
    return read.codes[0].partition("|")[2] if read.codes else read.text.lower()


def reference_text(value: object) -> str:
    """Return the display of a Reference, or ""."""
    return as_str(as_dict(value).get("display"))


def references(value: object) -> tuple[str, ...]:
    """Return the texts of a list of References, each once."""
    return unique(as_str(as_dict(item).get("reference")) for item in as_list(value))


def person_text(resource: Resource, value: object) -> str:
    """Return who a Reference names: its display, else a contained practitioner's name; "" without either."""
    if text := reference_text(value):
        return text
    named = as_list(contained(resource, as_str(as_dict(value).get("reference"))).get("name"))
    name = as_dict(named[0]) if named else {}
    parts = [*as_list(name.get("prefix")), *as_list(name.get("given")), name.get("family")]
    return as_str(name.get("text")) or " ".join(filter(None, map(as_str, parts)))


def contained(resource: Resource, reference: str) -> Resource:
    """Return the contained resource that "#id" points to, or an empty one."""
    for item in as_list(resource.get("contained")):
        if reference.startswith("#") and as_dict(item).get("id") == reference[1:]:
            return as_dict(item)
    return {}


def resolve(resource: Resource, value: object, related: Mapping[str, Resource]) -> Resource:
    """Return the resource a Reference points to: contained, or among `related` ("Type/id" or URN)."""
    reference = as_str(as_dict(value).get("reference"))
    return contained(resource, reference) or as_dict(related.get(reference))


def choice(resource: Resource, *names: str) -> tuple[str, Path]:
    """Return the first date found under `names` and its path; a Period gives its start, else its end."""
    for name in names:
        value = resource.get(name)
        if isinstance(value, dict):
            for part in ("start", "end"):
                if recorded := as_str(value.get(part)):
                    return recorded, (name, part)
            events = as_list(value.get("event"))
            if events and as_str(events[0]):
                return as_str(events[0]), (name, "event", 0)
        elif recorded := as_str(value):
            return recorded, (name,)
    return "", ()


def notes(value: object) -> str:
    """Return the texts of Annotations, joined by a line break."""
    return "\n".join(unique(as_str(as_dict(note).get("text")) for note in as_list(value)))


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the non-empty texts in order, each once."""
    return tuple(dict.fromkeys(text for text in texts if text))
