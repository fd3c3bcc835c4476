"""What can be wrong with a resource, as a reason code and a FHIR path. Never a value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestion.domain.r4.primitives import DATE_PATTERNS
from ingestion.domain.r4.rules import MARK

_AT = " - at `$"
_NAME = re.compile(r"`(_?[a-z][A-Za-z0-9]{0,49})`")
_OWN = re.compile(rf"{MARK} ([a-z-]+) ?([A-Za-z0-9_\[\]]*)")

_BY_START = (
    ("Object missing required field", "required-element"),
    ("Object contains unknown field", "unknown-element"),
    ("Invalid enum value", "code-not-allowed"),
    ("Invalid base64", "bad-format"),
    ("Number out of range", "out-of-range"),
    ("Integer value out of range", "out-of-range"),
    ("Expected `int` >=", "out-of-range"),
    ("Expected `int` <=", "out-of-range"),
    ("Expected `str` of length", "empty-value"),
    ("Expected `array` of length", "empty-value"),
    ("Expected `array`, got `null`", "null-value"),
    ("Expected `array`", "cardinality"),
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault. `path` is a FHIR path such as "Observation.component[2].valueQuantity", or "".

    Codes: required-element, unknown-element, wrong-type, cardinality, null-value, empty-value,
    choice-repeated, code-not-allowed, bad-date, bad-format, out-of-range, duplicate-key, too-deep,
    not-utf8, invalid-character, malformed-json, truncated-json, not-a-resource, no-resource-type,
    unknown-resource-type, nested-contained.
    """

    code: str
    path: str = ""


class InvalidResourceError(ValueError):
    """The JSON is not a valid FHIR R4 resource; `issue` says where and why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(f"{issue.code} at {issue.path}" if issue.path else issue.code)
        self.issue = issue


def _code_of(text: str) -> str:
    if text.startswith("Expected `str` matching regex"):
        return "bad-date" if any(repr(p) in text for p in DATE_PATTERNS) else "bad-format"
    for start, code in _BY_START:
        if text.startswith(start):
            return code
    if text.endswith("got `null`"):
        return "null-value"
    return "cardinality" if text.endswith("got `array`") else "wrong-type"


def issue_from(message: str, root: str) -> Issue:
    """Translate msgspec's message into code and path; the message itself may hold a value and is dropped.

    An unknown element's name is kept only when it looks like an element name.
    """
    text, _, place = message.partition(_AT)
    path = root + place.rstrip("`")
    own = _OWN.match(text)
    if own:
        element = own[2]
        return Issue(own[1], f"{path}.{element}" if element else path)
    code = _code_of(text)
    if code in {"required-element", "unknown-element"}:
        name = _NAME.search(text)
        path = f"{path}.{name[1]}" if name else path
    return Issue(code, path)
