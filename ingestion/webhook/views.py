"""The FHIR endpoints: Bundles at the base, resources by type and id, the jobs of large requests, metadata.

Source: HL7 FHIR R4 4.0.1, RESTful API (https://hl7.org/fhir/R4/http.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from ingestion.domain.fhir_door.capability import NOT_KEPT, capability_statement
from ingestion.domain.fhir_door.outcome import RefusedError, refused, told
from ingestion.domain.r4.tables import is_resource_type
from ingestion.models import IngestJob
from ingestion.webhook import intake
from ingestion.webhook.body import read_body, require_json
from ingestion.webhook.borders import answering, fhir, known_caller, note_refusal, nowhere, sent
from ingestion.webhook.intake import Target

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

VERSION: Final = "0.1.0"
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CONDITIONS: Final = {
    "If-None-Exist": "conditional-create",
    "If-Match": "version-condition",
    "If-None-Match": "version-condition",
    "If-Modified-Since": "version-condition",
}


@answering("POST")
def base(request: HttpRequest) -> HttpResponse:
    """Take a Bundle, or one resource."""
    return _take(request, Target())


@answering("GET", "HEAD")
def metadata(_request: HttpRequest) -> HttpResponse:
    """Say what this door takes; no token is needed."""
    return fhir(capability_statement(base=intake.base(), version=VERSION, now=timezone.now()))


@answering("POST")
def of_type(request: HttpRequest, resource_type: str) -> HttpResponse:
    """Take one resource."""
    if not is_resource_type(resource_type):
        return nowhere()
    return _take(request, Target(resource_type))


@answering("PUT", "DELETE")
def instance(request: HttpRequest, resource_type: str, resource_id: str) -> HttpResponse:
    """Take one version of a resource, or its deletion."""
    if not is_resource_type(resource_type) or resource_type in NOT_KEPT:
        return nowhere()
    target = Target(resource_type, resource_id)
    if request.method == "PUT":
        return _take(request, target)
    client = known_caller(request)
    _refuse_conditions(request, target)
    return sent(intake.delete(client, target, clock=timezone.now))


@answering("GET", "HEAD")
def job(request: HttpRequest, number: int) -> HttpResponse:
    """Say how far a request has come that was left to the workers; to its own sender only."""
    client = known_caller(request)
    row = IngestJob.objects.filter(pk=number, feed=client.feed).first()
    if row is None:
        return nowhere()
    if row.state == IngestJob.State.DONE:
        return fhir(intake.counts_told(row))
    if row.state == IngestJob.State.FAILED:
        raise refused("cannot-be-stored")
    response = fhir(told("running", "Kept; the workers take it in."), 202)
    response["Retry-After"] = "1"
    response["X-Progress"] = f"{row.received} items"
    return response


@answering("POST", "PUT", "DELETE")
def elsewhere(_request: HttpRequest, path: str = "") -> HttpResponse:
    """Say that there is nothing here; asking to read is answered with 405 before."""
    del path
    return nowhere()


def _take(request: HttpRequest, target: Target) -> HttpResponse:
    client = known_caller(request)
    try:
        require_json(request)
        _refuse_conditions(request, target)
        with read_body(request, settings.INGESTION_FHIR_LIMITS[0]) as file:
            wait = "respond-async" not in request.headers.get("Prefer", "")
            return sent(intake.take(file, client, target, wait=wait, clock=timezone.now))
    except RefusedError as error:
        note_refusal("fhir.receive", "REFUSED", client.feed, error)
        raise


def _refuse_conditions(request: HttpRequest, target: Target) -> None:
    """Refuse what only holds under a condition, before anything is read.

    Raises:
        RefusedError: conditional-create, conditional-update, conditional-delete, version-condition, bad-id.
    """
    for name, code in _CONDITIONS.items():
        if name in request.headers:
            raise refused(code)
    if set(request.GET) - {"_format", "_pretty"}:
        raise refused("conditional-delete" if request.method == "DELETE" else "conditional-update")
    if target.resource_id and not _ID.fullmatch(target.resource_id):
        raise refused("bad-id")
