"""The border of the FHIR door: who may call, how, and every refusal as an OperationOutcome, here and nowhere else."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse, UnreadablePostError
from django.utils import timezone

from clinical.audit import trail
from ingestion.domain.fhir_door.outcome import Problem, RefusedError, operation_outcome, refused
from ingestion.webhook.body import require_accept
from ingestion.webhook.clients import caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from ingestion.webhook.clients import FhirClient
    from ingestion.webhook.intake import Reply

    View = Callable[..., HttpResponse]

FHIR_JSON: Final = "application/fhir+json; charset=utf-8"
RETRY_S: Final = "5"
_encode: Final = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


def answering(*methods: str) -> Callable[[View], View]:
    """Let some methods through, and turn every refusal into its reply."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, **named: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    response = refusal(refused("method"))
                    response["Allow"] = ", ".join(methods)
                    return response
                require_accept(request)
                return view(request, **named)
            except RefusedError as error:
                return refusal(error)
            except UnreadablePostError:
                return refusal(refused("body-incomplete"))
            except (DatabaseError, OSError) as error:
                _log.error("the door cannot write: %s", type(error).__name__)
                return refusal(refused("unavailable"))

        return answered

    return decorate


def known_caller(request: HttpRequest) -> FhirClient:
    """Return the client that calls; a refused token is noted on the trail.

    Raises:
        RefusedError: 401, or 503 where the file of clients is damaged.
    """
    try:
        return caller(request.headers, settings.INGESTION_FHIR_CLIENTS)
    except RefusedError as error:
        note_refusal("fhir.token", "DENIED", "fhir-client", error)
        raise


def note_refusal(action: str, outcome: str, who: str, error: RefusedError) -> None:
    """Note a refusal on the trail, where the trail can be written; the call is refused either way."""
    detail = {"reason": error.problems[0].reason, "problems": len(error.problems)}
    try:
        trail.append(trail.Entry(action, outcome, who, detail=detail), now=timezone.now())
    except DatabaseError:
        return


def refusal(error: RefusedError) -> HttpResponse:
    """Return the reply to what is refused."""
    response = fhir(operation_outcome(error.problems), error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="fhir"'
    if error.status == 503:
        response["Retry-After"] = RETRY_S
    return response


def fhir(body: dict[str, Any] | None, status: int = 200) -> HttpResponse:
    """Return a FHIR JSON response, or one without content."""
    if body is None:
        return HttpResponse(status=status)
    response = HttpResponse(_encode(body), content_type=FHIR_JSON, status=status)
    response["Cache-Control"] = "no-store"
    return response


def sent(reply: Reply) -> HttpResponse:
    """Return a reply of the intake as a response."""
    response = fhir(reply.body, reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    return response


def nowhere() -> HttpResponse:
    """Return the reply at an address where nothing is."""
    return fhir(operation_outcome([Problem("unknown-path")]), 404)
