"""What became of each entry of a request whose job is done, read from the ledger and the record."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clinical.models import ResourceVersion
from ingestion.domain.fhir_door.interactions import entry_number
from ingestion.domain.fhir_door.outcome import Problem, reason
from ingestion.domain.fhir_door.replies import Done, worst

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.domain.fhir_door.interactions import Asked
    from ingestion.domain.items import ResourceItem
    from ingestion.models import IngestJob

_AT_ONCE: Final = 400
Identity = tuple[str, str, str]


@dataclass(slots=True)
class _Ledger:
    """Reasons by number of entry, and the current version of each resource."""

    held: dict[int, str] = field(default_factory=dict)
    refused: dict[int, Problem] = field(default_factory=dict)
    current: dict[Identity, tuple[int, str, datetime]] = field(default_factory=dict)


def effects(job: IngestJob, asked: Asked) -> list[Done]:
    """Return what became of each entry, in the order of the request."""
    ledger = _read(job, asked)
    return [_done(number, job, asked, ledger) for number in range(asked.entries)]


def _read(job: IngestJob, asked: Asked) -> _Ledger:
    ledger = _Ledger()
    for position, code in job.unassigned_items.values_list("position", "reason"):
        ledger.held.setdefault(entry_number(position), code)
    for position, code, detail in job.quarantine.values_list("position", "reason", "detail"):
        at = detail if "." in detail else ""
        ledger.refused.setdefault(entry_number(position), Problem(code, at))
    ids = sorted({item.resource_id for items in asked.found.values() for item in items})
    for first in range(0, len(ids), _AT_ONCE):
        rows = ResourceVersion.objects.filter(is_current=True, logical_id__in=ids[first : first + _AT_ONCE])
        for server, kind, logical_id, number, sha256, stored_at in rows.values_list(
            "server", "resource_type", "logical_id", "number", "sha256", "stored_at"
        ):
            ledger.current[server, kind, logical_id] = (number, sha256, stored_at)
    return ledger


def _done(number: int, job: IngestJob, asked: Asked, ledger: _Ledger) -> Done:
    if problems := asked.problems.get(number):
        return Done(worst(problems), problems=tuple(problems))
    items = asked.found.get(number)
    if not items and number not in ledger.refused:
        return Done(200, problems=(Problem("became-attachment", severity="information"),))
    if not items:
        problem = ledger.refused[number]
        return Done(reason(problem.reason).status, problems=(problem,))
    if number in ledger.held:
        code = ledger.held[number]
        told = Problem(code if reason(code).status == 202 else "held", severity="information")
        return Done(202, items[0].resource_type, items[0].resource_id, problems=(told,))
    return _stored(items[0], job, ledger, ledger.refused.get(number))


def _stored(item: ResourceItem, job: IngestJob, ledger: _Ledger, fault: Problem | None) -> Done:
    found = ledger.current.get((item.server, item.resource_type, item.resource_id))
    if found is None:
        problem = fault or Problem("cannot-be-stored")
        return Done(reason(problem.reason).status, problems=(problem,))
    number, sha256, stored_at = found
    problems = (Problem("unread-pages", severity="warning"),) if fault else ()
    if item.delete:
        status = 204
    elif hashlib.sha256(item.content).hexdigest() != sha256 and not fault:
        status, problems = 200, (Problem("older-version", severity="information"),)
    else:
        status = 201 if number == 1 and stored_at >= job.created_at else 200
    return Done(status, item.resource_type, item.resource_id, number, stored_at, problems)
