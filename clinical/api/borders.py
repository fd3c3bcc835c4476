"""The border of the API: every check a call has to pass, in one order, and every refusal as a problem.

Nothing of the request is quoted in a refusal, in a log or on the trail.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import DatabaseError
from django.http import Http404, HttpResponseBase, UnreadablePostError
from django.utils import timezone

from clinical.answering.services import QuestionRefusedError
from clinical.api import limits
from clinical.api.callers import caller_of
from clinical.api.operation import Call
from clinical.api.problems import ProblemError, answer, catalogue, refusal
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError
from clinical.keys import KeyDestroyedError
from clinical.models import Patient, Question
from clinical.ports import BackendUnavailableError
from clinical.record.selectors import NotHeldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    from clinical.api.operation import Operation

LARGEST_BODY: Final = 64 * 1024  # bytes
_MOST_DIGITS: Final = 15
# msgspec names the place of a fault by the type's own fields; anything else it writes as [...].
_PLACE: Final = re.compile(r"at `\$\.?([A-Za-z0-9_.\[\]]*)`$")
_NOT_HELD: Final = (NotHeldError, KeyDestroyedError, Patient.DoesNotExist, Question.DoesNotExist, Http404)
_log = logging.getLogger(__name__)


def served(operations: Mapping[str, Operation]) -> Callable[..., HttpResponseBase]:
    """Return the view of an address from its operations by method."""
    allowed = ", ".join(sorted(operations))

    def view(request: HttpRequest, **named: Any) -> HttpResponseBase:
        asked = "GET" if request.method == "HEAD" else request.method
        operation = operations.get(asked or "")
        if operation is None:
            return refusal("method", allowed=allowed)
        try:
            return _serve(operation, request, named)
        except Exception as error:
            code, place = code_of(error), getattr(error, "place", "")
            if code == "exception":
                raise  # a fault of ours: logged by type and place, and answered by the door's own handler
            return refusal(code, place if isinstance(error, ProblemError) else "")

    return view


def code_of(error: Exception) -> str:
    """Return the code of a refusal; "exception" for what is none."""
    match error:
        case ProblemError():
            return error.code
        # The same words whether the patient exists or not.
        case AccessDeniedError(reason="not-in-care-team"):
            return "not-found"
        case AccessDeniedError():
            return error.reason if error.reason in catalogue() else "forbidden"
        case QuestionRefusedError():
            return error.reason
        case UnreadablePostError():
            return "bad-length"
        case DatabaseError() | BackendUnavailableError():
            _log.error("the door cannot answer: %s", type(error).__name__)
            return "unavailable"
        case _:
            return "not-found" if isinstance(error, _NOT_HELD) else "exception"


def _serve(operation: Operation, request: HttpRequest, named: dict[str, Any]) -> HttpResponseBase:
    now = timezone.now()
    query = _query(operation, request)
    if operation.body is not None:
        _check_media(request)
    caller = caller_of(request, now=now)
    limits.count_request(caller.user_id, now=now)
    if operation.scope not in caller.scopes:
        raise ProblemError("scope", operation.scope)
    if caller.token:
        # Reads are on the trail as they are from the pages; this row says by which token.
        detail = {"operation": operation.name, "token": caller.token}
        patient_id = str(named.get("patient_id", ""))
        trail.append(trail.Entry("api.call", "STARTED", caller.user_id, patient_id=patient_id, detail=detail), now=now)
    body = None if operation.body is None else _body(request, operation.body)
    found = operation.view(Call(request, caller, query, body, timezone.now), **named)
    return found if isinstance(found, HttpResponseBase) else answer(found, status=operation.status)


def _query(operation: Operation, request: HttpRequest) -> dict[str, Any]:
    known = {one.name: one for one in operation.parameters}
    for name, values in request.GET.lists():
        if name not in known or len(values) != 1:
            raise ProblemError("unknown-parameter")
    return {name: one.read(request.GET.get(name)) for name, one in known.items()}


def _check_media(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    plain = request.headers.get("Content-Encoding", "identity").lower() == "identity"
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8") or not plain:
        raise ProblemError("media-type")


def _body(request: HttpRequest, kind: type) -> object:
    announced = request.headers.get("Content-Length", "")
    if announced and (not announced.isdecimal() or len(announced) > _MOST_DIGITS):
        raise ProblemError("bad-length")
    if int(announced or 0) > LARGEST_BODY:
        raise ProblemError("too-large")
    # Django reads as many bytes as are announced; of a chunked body the server itself knows the end.
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    source = request.META["wsgi.input"] if chunked and request.META.get("wsgi.input_terminated") else request
    content: bytes = source.read(LARGEST_BODY + 1)
    if len(content) > LARGEST_BODY:
        raise ProblemError("too-large")
    if announced and not chunked and len(content) != int(announced):
        raise ProblemError("bad-length")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        words = str(error)
        found = _PLACE.search(words)
        place = found.group(1) if found else ""
        raise ProblemError("unknown-field" if "unknown field" in words else "bad-body", place) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError("not-json") from None


def nowhere(_request: HttpRequest, path: str = "") -> HttpResponse:
    """Say that there is nothing at this address."""
    del path
    return refusal("not-found")
