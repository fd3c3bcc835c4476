"""What came in and where it went, for operators: counts, codes and times only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string

from clinical.access.services import roles_of
from clinical.api import shapes
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.selectors import feeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from clinical.api.operation import Call


def status(call: Call) -> shapes.IngestStatus:
    """Return the ledger's sums, what is held back, and whether everything is accounted for."""
    _operators_only(call)
    ledger: Callable[[datetime], dict[str, Any]] = import_string(settings.CLINICAL_INGEST_STATUS)
    times = [shapes.FeedTime(name, last) for name, last in feeds()]
    return shapes.IngestStatus(feeds=times, **ledger(call.clock()))


def jobs(call: Call) -> shapes.Jobs:
    """Return the newest jobs, or those before one."""
    _operators_only(call)
    listed: Callable[[int, int | None], list[dict[str, Any]]] = import_string(settings.CLINICAL_INGEST_JOBS)
    limit = call.query["limit"]
    found = msgspec.convert(listed(limit, call.query["before"]), list[shapes.Job])
    return shapes.Jobs(found, found[-1].id if len(found) == limit else None)


def _operators_only(call: Call) -> None:
    """Refuse all others, as the operator's page does; the denial is on the trail.

    Raises:
        AccessDeniedError: no-operator-role.
    """
    if Role.OPERATOR in roles_of(call.caller.user):
        return
    trail.append(trail.Entry("ingest.view", "DENIED", call.caller.user_id), now=call.clock())
    raise AccessDeniedError("no-operator-role")
