"""A comparison with the sending system: read what is held, compare, keep the result without identifiers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.identity.services import UnassignedError, find, find_by_fhir_id
from clinical.models import ResourceVersion
from ingestion.models import IngestJob, Reconciliation, UnassignedItem
from ingestion.reconciliation.compare import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

    from ingestion.reconciliation.compare import Difference, Key
    from ingestion.reconciliation.expected import Expected

KEPT_DIFFERENCES: Final = 1000
ACTION: Final = "reconcile"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A kept result; `named` gives the sender's identifier of each "whose", for those who may see it."""

    row: Reconciliation
    comparison: Comparison
    named: dict[str, str] = field(default_factory=dict)


def reconcile(expected: Sequence[Expected], *, source: str, server: str | None, by: str, now: datetime) -> Reconciled:
    """Compare what a sender has with what is held, and keep the result.

    Where the list names patients, of each of them the types that it names anywhere are compared; else the totals
    by type that it names.

    Args:
        expected: as the list was read.
        source: "manifest", "csv" or "counts".
        server: base URL whose resources alone count; all servers when None.
        by: who compares, for the kept row.
        now: timezone-aware.
    """
    wanted: Counter[Key] = Counter()
    named: dict[str, str] = {}
    known: dict[str, str] = {}
    for one in expected:
        whose = ""
        if one.patient:
            whose = known.setdefault(one.patient, "") or _whose(one)
            known[one.patient] = whose
            named[whose] = one.patient
        wanted[whose, one.resource_type] += one.count
    types = {resource_type for _, resource_type in wanted}
    totals = _held(types, server, by_patient=bool(named))
    held = {key: count for key, count in totals.items() if not named or key[0] in named}
    comparison = compare(wanted, held, _held_back())
    row = Reconciliation.objects.create(
        made_at=now,
        made_by=by[:150],
        source=source,
        expected=comparison.expected,
        held=comparison.held,
        matched=comparison.matched,
        compared=comparison.compared,
        unknown_patients=sum(whose.startswith("row ") for whose in named),
        jobs_open=IngestJob.objects.exclude(state=IngestJob.State.DONE).count(),
        differences=[_as_kept(one) for one in comparison.differences[:KEPT_DIFFERENCES]],
    )
    return Reconciled(row, comparison, named)


def may_name(user: User, *, acting: str, now: datetime) -> None:
    """Let the privacy officer see the sender's identifiers beside the differences; either answer is on the trail.

    Raises:
        AccessDeniedError: `no-privacy-role`.
    """
    allowed = Role.PRIVACY in roles_of(user)
    entry = trail.Entry(
        action=f"{ACTION}.identifiers",
        outcome="SUCCESS" if allowed else "DENIED",
        user_id=acting,
        on_behalf_of=user.get_username(),
    )
    audit_id = trail.append(entry, now=now)
    if not allowed:
        raise AccessDeniedError("no-privacy-role", audit_id)


def _whose(one: Expected) -> str:
    """Return the opaque id of the patient whom the sender names, or the row where he stands."""
    system, bar, value = one.patient.rpartition("|")
    try:
        found = find(system, value) if bar else find_by_fhir_id(one.patient)
    except UnassignedError:
        found = None
    return f"row {one.row}" if found is None else str(found.id)


def _held(types: set[str], server: str | None, *, by_patient: bool) -> dict[Key, int]:
    rows = ResourceVersion.objects.filter(is_current=True, deleted=False, resource_type__in=types)
    if server is not None:
        rows = rows.filter(server=server.rstrip("/"))
    names = ("patient_id", "resource_type") if by_patient else ("resource_type",)
    found: dict[Key, int] = {}
    for row in rows.order_by().values(*names).annotate(count=Count("pk")):
        found[str(row["patient_id"]) if by_patient else "", row["resource_type"]] = row["count"]
    return found


def _held_back() -> dict[str, int]:
    waiting = UnassignedItem.objects.filter(resolved_at=None).values("resource_type").annotate(count=Count("pk"))
    return dict(waiting.values_list("resource_type", "count"))


def _as_kept(one: Difference) -> dict[str, Any]:
    by_row = one.whose.startswith("row ")
    return {
        "patient": "" if by_row else one.whose,
        "row": one.whose if by_row else "",
        "type": one.resource_type,
        "expected": one.expected,
        "held": one.held,
        "held_back": one.held_back,
    }
