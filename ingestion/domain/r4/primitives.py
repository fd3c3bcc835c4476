"""Formats of the FHIR R4 primitive types (https://hl7.org/fhir/R4/datatypes.html#primitive).

Dates are checked against the calendar: the 30th of February and the 29th of a common year are refused.
Decimals are only checked to be JSON numbers; what is stored are the bytes as they came, so no digit is lost.
A code or address with white space in it passes: refusing a record for a stray blank would lose more than it saves.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

_YEAR = r"(?!0000)[0-9]{4}"
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    rf"|(?!0000){_LEAP}-02-29)"
)
_MONTH = rf"{_YEAR}-(?:0[1-9]|1[0-2])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

DATE = rf"^(?:{_DAY}|{_MONTH}|{_YEAR})\Z"
DATE_TIME = rf"^(?:{_DAY}(?:T{_CLOCK}{_ZONE})?|{_MONTH}|{_YEAR})\Z"
INSTANT = rf"^{_DAY}T{_CLOCK}{_ZONE}\Z"
TIME = rf"^{_CLOCK}\Z"
DATE_PATTERNS = frozenset({DATE, DATE_TIME, INSTANT, TIME})

ID = r"^[A-Za-z0-9\-.]{1,64}\Z"
OID = r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+\Z"
UUID = r"^urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
XHTML = r"^\s*<(?:[A-Za-z][\w.-]*:)?div[\s/>]"
BASE64_SPACED = r"^[A-Za-z0-9+/\s]*(?:=\s*){0,2}\Z"


def _text(pattern: str) -> Any:  # noqa: ANN401 - an annotation object
    return Annotated[str, Meta(pattern=pattern)]


_NOT_EMPTY = Annotated[str, Meta(min_length=1)]

ANNOTATIONS: dict[str, Any] = {
    "base64Binary": bytes,
    "boolean": bool,
    "canonical": _NOT_EMPTY,
    "code": _NOT_EMPTY,
    "date": _text(DATE),
    "dateTime": _text(DATE_TIME),
    "decimal": float,
    "id": _text(ID),
    "instant": _text(INSTANT),
    "integer": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "markdown": _NOT_EMPTY,
    "oid": _text(OID),
    "positiveInt": Annotated[int, Meta(ge=1, le=2**31 - 1)],
    "string": _NOT_EMPTY,
    "time": _text(TIME),
    "unsignedInt": Annotated[int, Meta(ge=0, le=2**31 - 1)],
    "uri": _NOT_EMPTY,
    "url": _NOT_EMPTY,
    "uuid": _text(UUID),
    "xhtml": _text(XHTML),
}
SPACED_BASE64 = _text(BASE64_SPACED)
"""base64Binary with white space between the groups, which the standard's format allows."""
