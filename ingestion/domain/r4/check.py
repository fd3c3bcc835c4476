"""Checks one resource's JSON against FHIR R4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from ingestion.domain.r4.issues import InvalidResourceError, Issue, issue_from
from ingestion.domain.r4.json_rules import (
    MAX_DEPTH,
    colons,
    has_invalid_character,
    may_hide_colon,
    names_key_twice,
    nested_within,
)
from ingestion.domain.r4.structs import decoder
from ingestion.domain.r4.tables import is_resource_type

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_KEY = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]{1,64})"')
_MAY_BE_RARE = (b'"_', b"null", b'"data"', b"Base64Binary")
# the types forbid arrays of arrays, so each two levels need an object, and each object a colon
_SURELY_SHALLOW = MAX_DEPTH // 2 - 1
_DECODE: dict[str, Callable[[bytes], Any]] = {}
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    resource_type: str | msgspec.UnsetType = msgspec.field(default=UNSET, name="resourceType")


_head = msgspec.json.Decoder(_Head)


@dataclass(slots=True)
class CheckedResource:
    """A resource that passed. `resource_id` is "" when it has none; `fields` is the decoded Struct.

    `colons` counts those of the resource encoded again (see `json_rules.colons`), -1 where that proves nothing.
    """

    resource_type: str
    resource_id: str
    fields: Any
    colons: int


def resource_type_of(content: bytes) -> str:
    """Return the resourceType, "" when there is none.

    Raises:
        InvalidResourceError: not a JSON object, or resourceType is not a text.
    """
    first = _FIRST_KEY.match(content)
    if first:
        return first[1].decode("ascii")
    try:
        head = _head.decode(content)
    except msgspec.ValidationError:
        raise InvalidResourceError(Issue("not-a-resource")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidResourceError(json_issue(error)) from None
    return "" if head.resource_type is UNSET else head.resource_type


def json_issue(error: Exception) -> Issue:
    """Return the issue of a document that is not JSON, from any decoder error but ValidationError."""
    if isinstance(error, RecursionError):
        return Issue("too-deep")
    if isinstance(error, UnicodeDecodeError):
        return Issue("not-utf8")
    return Issue("truncated-json" if "truncated" in str(error) else "malformed-json")


def decode(content: bytes, resource_type: str) -> Any:  # noqa: ANN401 - a Struct built at run time
    """Decode JSON as one R4 type, in the strict form or else the rare one (see `structs`).

    Raises:
        InvalidResourceError: with code and path.
    """
    strict = _DECODE.get(resource_type) or decoder(resource_type).decode
    try:
        return strict(content)
    except msgspec.ValidationError as error:
        message = str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidResourceError(json_issue(error)) from None
    if any(hint in content for hint in _MAY_BE_RARE):
        try:
            return decoder(resource_type, rare=True).decode(content)
        except msgspec.ValidationError as error:
            message = str(error)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidResourceError(json_issue(error)) from None
    raise InvalidResourceError(issue_from(message, resource_type))


def _check_nested(fields: Any, resource_type: str) -> None:  # noqa: ANN401 - a Struct built at run time
    for index, raw in enumerate(fields.contained):
        place = f"{resource_type}.contained[{index}]"
        try:
            inner = check_resource(bytes(raw))
        except InvalidResourceError as error:
            raise InvalidResourceError(Issue(error.issue.code, _under(place, error.issue.path))) from None
        if getattr(inner.fields, "contained", UNSET) is not UNSET:
            raise InvalidResourceError(Issue("nested-contained", place))


def _under(place: str, path: str) -> str:
    return place + path[path.find(".") :] if "." in path else place


def check_but_duplicates(content: bytes, resource_type: str) -> CheckedResource:
    """Do all that `check_resource` does but look for keys named twice; `colons` lets a Bundle do that at once."""
    if resource_type not in _DECODE:
        if not is_resource_type(resource_type):
            raise InvalidResourceError(Issue("unknown-resource-type" if resource_type else "no-resource-type"))
        _DECODE[resource_type] = decoder(resource_type).decode
    fields = decode(content, resource_type)
    encoded = _encode(fields)
    count = colons(encoded)
    deep = count > _SURELY_SHALLOW and encoded.count(b"{") > _SURELY_SHALLOW
    if (deep or resource_type == "Parameters") and not nested_within(encoded):
        raise InvalidResourceError(Issue("too-deep", resource_type))
    if b"\\" in content:
        if has_invalid_character(content):
            raise InvalidResourceError(Issue("invalid-character", resource_type))
        count = -1 if may_hide_colon(content) else count
    if getattr(fields, "contained", UNSET) is not UNSET:
        _check_nested(fields, resource_type)
    resource_id = fields.id
    return CheckedResource(resource_type, "" if resource_id is UNSET else resource_id, fields, count)


def check_resource(content: bytes) -> CheckedResource:
    """Check one resource's JSON bytes against FHIR R4 4.0.1 and return what it is.

    Checked: UTF-8, well-formed JSON, nesting (`json_rules.MAX_DEPTH`), duplicate keys, NUL; element names,
    required elements, types, cardinality, formats, calendar, choices, required codes; contained resources.
    Not checked: invariants (FHIRPath), reference targets, profiles, extensible and preferred bindings. A
    Narrative without `div` passes.

    Raises:
        InvalidResourceError: with code and FHIR path, never a value.
    """
    checked = check_but_duplicates(content, resource_type_of(content))
    if colons(content) != checked.colons and names_key_twice(content):
        raise InvalidResourceError(Issue("duplicate-key", checked.resource_type))
    return checked
