"""One request of a machine client: read, kept, worked through or left to the workers, and answered.

What is refused is refused before anything of it is kept. What is accepted is on disk with its job before the reply;
small requests are also worked through before it, so that the reply can say what became of each entry.
"""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from django.conf import settings
from django.db import Error, transaction

from clinical.audit import trail
from clinical.models import ResourceVersion
from clinical.ports import backends
from ingestion import pipeline
from ingestion.domain.fhir_door.capability import NOT_KEPT
from ingestion.domain.fhir_door.interactions import WHOLE, Kind, read_request
from ingestion.domain.fhir_door.outcome import Problem, RefusedError, operation_outcome, refused, told
from ingestion.domain.fhir_door.replies import message_reply, response_bundle, worst
from ingestion.domain.items import ParseContext
from ingestion.models import IngestJob
from ingestion.parsers.port import UTF8_BOM
from ingestion.receive import receive
from ingestion.webhook.effects import effects

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ingestion.domain.fhir_door.interactions import Asked
    from ingestion.domain.fhir_door.replies import Done
    from ingestion.webhook.clients import FhirClient

MOST_PROBLEMS: Final = 100
"""Most issues in one OperationOutcome."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; `body` is None for no content."""

    status: int
    body: dict[str, Any] | None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The resource that an address names; both "" for the base address, the id "" for a type's."""

    resource_type: str = ""
    resource_id: str = ""


class _UndoError(Exception):
    """An entry of a transaction could not be stored after all."""


def take(file: BinaryIO, client: FhirClient, target: Target, *, wait: bool, clock: Callable[[], datetime]) -> Reply:
    """Take a body in.

    Args:
        file: the body; stands at its beginning.
        client: who sends it.
        target: what the address names.
        wait: whether the sender waits for what became of it; else it is left to the workers.
        clock: timezone-aware.

    Raises:
        RefusedError: nothing of it was kept.
        django.db.Error: the record or the trail cannot be written; the sender sends it again.
    """
    content = file.read().removeprefix(UTF8_BOM)
    asked = read_request(
        content,
        max_resource_bytes=settings.INGESTION_LIMITS[0],
        servers=client.servers,
        server=client.server,
    )
    _compare(asked, target)
    if asked.kind in WHOLE and asked.problems:
        problems = asked.all_problems[:MOST_PROBLEMS]
        if asked.kind is Kind.MESSAGE and 0 not in asked.problems:
            return _message(asked, "fatal-error", worst(problems), operation_outcome(problems))
        raise RefusedError(*problems, status=worst(problems))
    wait = wait and not asked.needs_time and len(content) <= settings.INGESTION_FHIR_LIMITS[1]
    file.seek(0)
    job = _keep(file, client, asked, wait=wait, now=clock())
    done = _worked_through(job, asked, clock=clock) if wait else None
    if done is not None:
        return _reply(job, asked, done)
    where = f"{base()}/jobs/{job.pk}"
    return Reply(202, told("accepted", "Kept; the workers take it in."), {"Content-Location": where})


def delete(client: FhirClient, target: Target, *, clock: Callable[[], datetime]) -> Reply:
    """Delete a resource of this client's server; once more changes nothing.

    Raises:
        RefusedError: no such resource was ever held.
    """
    held = ResourceVersion.objects.filter(
        server=client.server, resource_type=target.resource_type, logical_id=target.resource_id
    )
    if not held.exists():
        raise refused("unknown-path")
    request = {"method": "DELETE", "url": f"{target.resource_type}/{target.resource_id}"}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request}]}
    reply = take(io.BytesIO(json.dumps(bundle).encode()), client, Target(), wait=True, clock=clock)
    entry = (reply.body or {}).get("entry", [{}])[0]
    return Reply(204, None) if entry.get("response", {}).get("status", "").startswith("204") else reply


def base() -> str:
    """Return the door's base URL."""
    return f"{settings.CLINICAL_MACHINES_URL}/fhir"


def _compare(asked: Asked, target: Target) -> None:
    """Compare what came with what the address names.

    Raises:
        RefusedError: bundle-goes-to-base, other-type, other-id.
    """
    if asked.kind is not Kind.SINGLE:
        if target.resource_type:
            raise refused("bundle-goes-to-base")
        return
    for item in asked.found.get(0, ()):
        if item.resource_type in NOT_KEPT:
            raise refused("unknown-type", item.resource_type)
        if target.resource_type and item.resource_type != target.resource_type:
            raise refused("other-type", item.resource_type)
        if target.resource_id and item.resource_id != target.resource_id:
            raise refused("other-id", f"{item.resource_type}.id")


def _keep(file: BinaryIO, client: FhirClient, asked: Asked, *, wait: bool, now: datetime) -> IngestJob:
    """Make it durable, with a line on the trail."""
    refusals = {str(number): problems[0].reason for number, problems in asked.problems.items()}
    context = ParseContext(server=client.server, refused=refusals)
    job = receive(file, name=f"{asked.kind}.json", feed=client.feed, context=context, now=now, wake=not wait)
    detail = {"job": job.pk, "kind": str(asked.kind), "entries": asked.entries, "refused": len(refusals)}
    trail.append(trail.Entry("fhir.receive", "SUCCESS", client.feed, detail=detail), now=now)
    return job


def _worked_through(job: IngestJob, asked: Asked, *, clock: Callable[[], datetime]) -> list[Done] | None:
    """Work the job through here; returns None when it is left to the workers.

    Raises:
        RefusedError: an entry of a transaction could not be stored; nothing of it was.
    """
    try:
        if asked.kind not in WHOLE:
            return effects(pipeline.run(job.pk, limits=settings.INGESTION_LIMITS, clock=clock), asked)
        return effects(_all_or_nothing(job, clock=clock), asked)
    except _UndoError:
        IngestJob.objects.filter(pk=job.pk).update(
            state=IngestJob.State.DONE, finished_at=clock(), error="transaction-refused"
        )
        raise refused("transaction-refused") from None
    except (pipeline.NotDueError, pipeline.LeaseLostError, Error, OSError) as error:
        _log.warning("job %d is left to the workers (%s)", job.pk, type(error).__name__)
        return None


def _all_or_nothing(job: IngestJob, *, clock: Callable[[], datetime]) -> IngestJob:
    with transaction.atomic():
        finished = pipeline.run(job.pk, limits=settings.INGESTION_LIMITS, clock=clock, wake=False)
        if finished.quarantined:
            raise _UndoError
    backends().wake(pipeline.INDEX_TASK, 0)
    return finished


def _reply(job: IngestJob, asked: Asked, done: list[Done]) -> Reply:
    match asked.kind:
        case Kind.TRANSACTION | Kind.BATCH:
            return Reply(200, response_bundle(asked.kind, done))
        case Kind.MESSAGE:
            return _message(asked, "ok", 200, None)
        case Kind.SINGLE:
            return _single(done[0])
    job.refresh_from_db()
    return Reply(200, counts_told(job, done))


def _single(done: Done) -> Reply:
    body = operation_outcome(done.problems) if done.problems else told("done", "Taken in.")
    headers = {"ETag": f'W/"{done.number}"', "Location": f"{base()}/{done.location}"} if done.location else {}
    return Reply(done.status, body, headers)


def _message(asked: Asked, code: str, status: int, outcome: dict[str, Any] | None) -> Reply:
    header = asked.header
    return Reply(status, message_reply(header, code=code, endpoint=base(), outcome=outcome))


def counts_told(job: IngestJob, done: list[Done] | None = None) -> dict[str, Any]:
    """Return an OperationOutcome with where the items of a finished job went."""
    names = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
    outcome = told("counts", ", ".join(f"{name} {getattr(job, name)}" for name in names))
    problems: list[Problem] = [one for entry in done or () for one in entry.problems]
    if problems:
        outcome["issue"] += operation_outcome(problems[:MOST_PROBLEMS])["issue"]
    return outcome
