"""The document and its page; both without a patient's word, so that they need no token. The page loads nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string

from clinical.api.document import document, encoded
from clinical.api.problems import catalogue, refusal

if TYPE_CHECKING:
    from django.http import HttpRequest

_STYLE: Final = Path(__file__).with_name("docs.css")
_SAFE: Final = ("GET", "HEAD")


def openapi(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document."""
    if request.method not in _SAFE:
        return refusal("method", allowed="GET")
    return HttpResponse(encoded(), content_type="application/json")


def page(request: HttpRequest) -> HttpResponse:
    """Return the documentation page, under the policy of the people's pages: own origin only, nothing inline."""
    if request.method not in _SAFE:
        return refusal("method", allowed="GET")
    response = HttpResponse(_page())
    response["Content-Security-Policy"] = build_policy()
    response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    return response


def style(request: HttpRequest) -> HttpResponse:
    """Return the page's style sheet."""
    if request.method not in _SAFE:
        return refusal("method", allowed="GET")
    return HttpResponse(_STYLE.read_bytes(), content_type="text/css; charset=utf-8")


@cache
def _page() -> str:
    whole = document()
    context: dict[str, Any] = {
        "info": whole["info"],
        "operations": [
            {"path": path, "method": method.upper(), "body": _body(one), **one}
            for path, methods in whole["paths"].items()
            for method, one in methods.items()
        ],
        "schemas": [(name, _json(schema)) for name, schema in whole["components"]["schemas"].items()],
        "problems": [(code, *found) for code, found in sorted(catalogue().items())],
    }
    return render_to_string("api/docs.html", context)


def _body(operation: dict[str, Any]) -> str:
    """Return the name of the body's schema, "" where there is none."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _json(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
