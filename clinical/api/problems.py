"""Refusals as problem details: a stable code, its status and a sentence; never a value of the request.

Source: RFC 9457, "Problem Details for HTTP APIs"; RFC 6750 section 3 for the challenge.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from django.http import HttpResponse

CONTENT_TYPE: Final = "application/problem+json"
DOCS: Final = "/api/docs"
RETRY_S: Final = "5"
_FILE: Final = Path(__file__).with_name("problems.json")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong. `code` is stable; `place` names the parameter or the field, where it is one of ours."""

    type: str
    title: str
    status: int
    code: str
    place: str = ""


class ProblemError(Exception):
    """The request is refused with a code of the list."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.place = place


@cache
def catalogue() -> dict[str, tuple[int, str]]:
    """Return status and sentence of every code."""
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, tuple[int, str]])


def problem(code: str, place: str = "") -> Problem:
    """Return the details of a code."""
    status, title = catalogue()[code]
    return Problem(f"{DOCS}#problem-{code}", title, status, code, place)


def refusal(code: str, place: str = "", *, allowed: str = "") -> HttpResponse:
    """Return the reply; `allowed` are the methods that a 405 has to name."""
    found = problem(code, place)
    response = HttpResponse(msgspec.json.encode(found), status=found.status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    if found.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="api"' + ("" if code == "no-credentials" else _INVALID)
    if found.status in (429, 503):
        response["Retry-After"] = RETRY_S
    if allowed:
        response["Allow"] = allowed
    return response


_INVALID: Final = ', error="invalid_token"'


def answer(content: object, *, status: int = 200) -> HttpResponse:
    """Return JSON that nobody keeps."""
    response = HttpResponse(msgspec.json.encode(content), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
