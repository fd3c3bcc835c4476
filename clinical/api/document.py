"""The OpenAPI document, made from the operations and the very types that decode and encode.

Source: OpenAPI Specification 3.1.0; JSON Schema 2020-12.
"""

from __future__ import annotations

import re
from functools import cache
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clinical.api import shapes
from clinical.api.operations import OPERATIONS, PATHS
from clinical.api.problems import CONTENT_TYPE, Problem, catalogue
from clinical.api.rows import KINDS, shown

if TYPE_CHECKING:
    from clinical.api.operation import Operation

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{name}"
_NAMED: Final = re.compile(r"\{(\w+)\}")
_EVERYWHERE: Final = (400, 401, 403, 404, 429, 503)
_WITH_BODY: Final = (413, 415)
_ABOUT: Final = (
    "What the clinicians' and operators' pages do, for programs: the same access decision, the same trail, the same "
    "answers. A token goes into the Authorization header, never into an address; a browser's session needs the header "
    "X-CSRFToken wherever something is written. Refusals are problem details with a stable code. Whoever may not see "
    "a patient is told the same as if there were none."
)


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Clinical assistant appliance", "version": VERSION, "description": _ABOUT},
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {_response_name(status): _refused(status) for status in (*_EVERYWHERE, *_WITH_BODY)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Made by manage.py api_token."},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
    }


@cache
def encoded() -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(document())


def _paths() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in OPERATIONS:
        found.setdefault(f"/api/{one.path}", {})[one.method.lower()] = _operation(one)
    return found


def _operation(one: Operation) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.about,
        "description": f"{one.words} A token needs the scope `{one.scope}`.",
        "security": [{"token": []}, {"session": []}],
        "parameters": _parameters(one),
        "responses": {
            str(one.status): _replied(one),
            **{
                str(status): {"$ref": f"#/components/responses/{_response_name(status)}"}
                for status in sorted((*_EVERYWHERE, *(_WITH_BODY if one.body else ())))
            },
        },
    }
    if one.body is not None:
        shape["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(one.body)}}}
    return shape


def _parameters(one: Operation) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "description": PATHS[name][2], "schema": PATHS[name][1]}
        for name in _NAMED.findall(one.path)
    ]
    in_query = [
        {"name": each.name, "in": "query", "description": each.about, "schema": each.schema()}
        for each in one.parameters
    ]
    return in_path + in_query


def _replied(one: Operation) -> dict[str, Any]:
    if one.reply is None:
        return {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    shape: dict[str, Any] = {
        "description": "Done.",
        "content": {"application/json": {"schema": _reference(one.reply)}},
    }
    if one.status == 201:
        location = {"description": "Where the whole answer is to be had.", "schema": {"type": "string"}}
        shape["headers"] = {"Location": location}
    return shape


def _refused(status: int) -> dict[str, Any]:
    codes = [code for code, (found, _) in catalogue().items() if found == status]
    problem = {"allOf": [{"$ref": _REF.format(name="Problem")}, {"properties": {"code": {"enum": codes}}}]}
    return {"description": f"Refused: {', '.join(codes)}.", "content": {CONTENT_TYPE: {"schema": problem}}}


def _schemas() -> dict[str, Any]:
    types = [kind for one in OPERATIONS for kind in (one.body, one.reply) if kind is not None]
    _, found = msgspec.json.schema_components([*types, Problem, *KINDS.values()], ref_template=_REF)
    for row in KINDS.values():
        _keep(found[row.__name__], shown(row))
    rows = [{"$ref": _REF.format(name=row.__name__)} for row in KINDS.values()]
    found[shapes.Fact.__name__]["properties"]["values"] = {"anyOf": rows}
    for schema in found.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    return dict(sorted(found.items()))


def _keep(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    """Leave of a row's schema what is shown, all of which is always there."""
    schema["properties"] = {name: schema["properties"][name] for name in names}
    schema["required"] = list(names)


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _response_name(status: int) -> str:
    return f"Refused{status}"
