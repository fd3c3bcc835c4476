"""The CDS Hooks endpoints. Every call bears a token of its own; a refusal says why, by code.

Source: CDS Hooks 2.0, "Discovery", "Calling a CDS Service", "Feedback".
"""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from clinical.audit import trail
from clinical.cds_hooks import catalogue
from clinical.cds_hooks.clients import ClientsFileError, clients
from clinical.cds_hooks.feedback import read_feedback, take_feedback
from clinical.cds_hooks.refusals import HookRequestError, NoDataError
from clinical.cds_hooks.replies import refusal, reply
from clinical.cds_hooks.requests import LARGEST_CALL, read_call
from clinical.cds_hooks.service import answer_call, refused
from clinical.cds_hooks.tokens import TokenError, caller
from clinical.domain.access import AccessDeniedError
from clinical.keys import KeyDestroyedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from clinical.cds_hooks.catalogue import Service
    from clinical.cds_hooks.clients import CdsClient

    View = Callable[..., HttpResponse]

_REFUSALS: Final = (TokenError, HookRequestError, AccessDeniedError, NoDataError, KeyDestroyedError, DatabaseError)
_log = logging.getLogger(__name__)


def _answering(method: str) -> Callable[[View], View]:
    """Let one method and known services through, and turn every refusal into its reply, here and nowhere else."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, service_id: str = "") -> HttpResponse:
            service = catalogue.service(service_id)
            if service_id and service is None:
                return refusal(404, "unknown-service")
            if request.method != method:
                response = refusal(405, "method")
                response["Allow"] = method
                return response
            try:
                return view(request, _caller(request), *([service] if service else []))
            except _REFUSALS as error:
                return _refusal(error)
            except ClientsFileError as error:
                _log.error("%s", error)
                return refusal(503, "clients-file")

        return answered

    return decorate


def _refusal(error: Exception) -> HttpResponse:
    match error:
        case TokenError():
            _note(error)
            return refusal(401, error.reason)
        case HookRequestError():
            status = {"too-large": 413, "media-type": 415}.get(error.reason, 400)
            return refusal(status, error.reason, [error.element] if error.element else [])
        case AccessDeniedError():
            return refusal(403, error.reason)
        case NoDataError():
            return refusal(412, error.reason)
        case KeyDestroyedError():  # erased while the call was under way
            return refusal(412, "unmapped-patient")
        case _:  # the database: without the trail nothing is answered
            return refusal(503, "unavailable")


@_answering("GET")
def discovery(_request: HttpRequest, client: CdsClient) -> HttpResponse:
    """List the services."""
    entry = trail.Entry("cds.discovery", "SUCCESS", "cds-client", detail={"issuer": client.issuer})
    trail.append(entry, now=timezone.now())
    return reply(catalogue.discovery())


@_answering("POST")
def call(request: HttpRequest, client: CdsClient, service: Service) -> HttpResponse:
    """Answer a hook call with cards."""
    try:
        asked = read_call(_body(request), service_hook=service.hook)
    except HookRequestError:
        refused(f"cds.{service.id}", client, "bad-request", now=timezone.now())
        raise
    return reply(answer_call(service, asked, client, now=timezone.now()))


@_answering("POST")
def feedback(request: HttpRequest, client: CdsClient, service: Service) -> HttpResponse:
    """Take what clinicians did with the cards of a service."""
    try:
        items = read_feedback(_body(request))
    except HookRequestError:
        refused("cds.feedback", client, "bad-request", now=timezone.now())
        raise
    taken = take_feedback(items, service=service.id, client=client, now=timezone.now())
    if taken.unknown:
        return refusal(404, "unknown-card", [f"feedback[{place}].card" for place in taken.unknown])
    return reply({"stored": taken.stored, "repeated": taken.repeated})


def _caller(request: HttpRequest) -> CdsClient:
    return caller(
        request.headers.get("Authorization", ""),
        audience=f"{settings.CLINICAL_MACHINES_URL}{request.path}",
        known=clients(settings.CLINICAL_CDS_CLIENTS),
        now=timezone.now(),
    )


def _note(error: TokenError) -> None:
    """Note a refused token on the trail, where the trail can be written; the call is refused either way."""
    detail = {"reason": error.reason, "issuer": error.issuer}
    try:
        trail.append(trail.Entry("cds.token", "DENIED", "cds-client", detail=detail), now=timezone.now())
    except DatabaseError:
        return


def _body(request: HttpRequest) -> bytes:
    """Return the body, read up to the limit only.

    Raises:
        HookRequestError: too-large, media-type.
    """
    if request.content_type not in ("application/json", "application/fhir+json", ""):
        raise HookRequestError("media-type", "Content-Type")
    body: bytes = request.read(LARGEST_CALL + 1)
    if len(body) > LARGEST_CALL:
        raise HookRequestError("too-large")
    return body
