"""Replies as JSON: cards with 200, refusals as an OperationOutcome with a reason code and the element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.http import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

REASONS: Final = "urn:clinical-appliance:reason"
# FHIR R4 IssueType by status: https://hl7.org/fhir/R4/valueset-issue-type.html
_ISSUE: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    412: "incomplete",
    413: "too-long",
    415: "not-supported",
    503: "transient",
}
_WORDS: Final = {
    400: "The call does not have the form that the service needs.",
    401: "The call bears no token that is accepted here.",
    403: "The user may not read this patient's record here.",
    404: "There is nothing of this name here.",
    405: "This address does not take this method.",
    412: "The data needed is neither held here nor in the call.",
    413: "The call is too large.",
    415: "Calls are JSON.",
    503: "The call cannot be answered at the moment.",
}


def reply(content: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Return JSON that nobody keeps."""
    response = HttpResponse(msgspec.json.encode(content), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def refusal(status: int, reason: str, elements: Sequence[str] = ()) -> HttpResponse:
    """Return a refusal; `reason` is a code and `elements` are paths, never a value of the call."""
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _ISSUE[status],
        "details": {"coding": [{"system": REASONS, "code": reason}], "text": _WORDS[status]},
    }
    if elements:
        issue["expression"] = list(elements)
    response = reply({"resourceType": "OperationOutcome", "issue": [issue]}, status=status)
    if status == 401:  # RFC 6750, 3: how to authenticate
        error = "" if reason == "no-token" else ', error="invalid_token"'
        response["WWW-Authenticate"] = f'Bearer realm="cds-services"{error}'
    return response
