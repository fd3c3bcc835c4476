"""Both databases: reachable, migrated, the trail unbroken, and whether the clinical tables may be used here."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor

from appliance.doctor.finding import not_checked, right, wrong
from clinical.audit import trail
from clinical.domain.provenance import SourceStatus
from clinical.knowledge.approvals import counts
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.doctor.finding import Finding, Look

_NAMES: Final = {"default": "database of the record", "audit": "database of the trail"}
WALKED: Final = 20_000
"""Rows of the trail up to which the whole chain is walked; beyond it only the links of the last ones."""
_LINKED: Final = 1000


def reachable(alias: str) -> bool:
    """Return whether a database answers."""
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def databases(look: Look) -> Iterator[Finding]:
    """Say which database does not answer, and which has migrations to come."""
    for alias, name in _NAMES.items():
        if not reachable(alias):
            yield wrong(name, "it does not answer", look.start("database"))
            continue
        executor = MigrationExecutor(connections[alias])
        due = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if due:
            words = f"{len(due)} migrations are not applied, the first is {due[0][0].app_label}.{due[0][0].name}"
            yield wrong(name, words, look.manage(f"migrate --database {alias}"))
        else:
            yield right(name, f"{connections[alias].vendor}, all migrations applied")


def chain(look: Look) -> Finding:
    """Say whether the trail's chain holds."""
    try:
        rows = AuditEvent.objects.count()
        if rows <= WALKED:
            found = trail.verify()
            broken, words = found.first_broken, f"{found.rows} rows, all walked"
        else:
            broken, words = _first_unlinked(), f"{rows} rows; the links of the last {_LINKED} hold"
    except Error:
        return not_checked("audit trail", "its database does not answer or lacks its table")
    if broken is not None:
        return wrong("audit trail", f"the chain is broken at row {broken}", look.manage("audit verify"))
    return right("audit trail", words)


def _first_unlinked() -> int | None:
    """Return the first of the last rows that does not follow from the one before; their contents are not hashed."""
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", "hash", "previous_hash")[:_LINKED]
    for (seq, held, _), (following, _, previous) in pairwise(reversed(list(newest))):
        if following != seq + 1 or previous != held:
            return int(following)
    return None


def knowledge(look: Look) -> Finding:
    """Say which clinical tables nobody of the site has approved; their rows are not used there."""
    try:
        found = {name: held[SourceStatus.FROM_MEMORY.value] for name, held in counts().items()}
    except Error:
        return not_checked("clinical tables", "the database does not answer")
    waiting = {name: rows for name, rows in found.items() if rows}
    words = f"{sum(waiting.values())} rows in {len(waiting)} tables are not approved by anybody here"
    if look.site and waiting:
        name = min(waiting)
        approve = f"approve --table {name} --all --by NAME --profession pharmacist --as USER"
        return wrong(
            "clinical tables", f"{words}, and so not used", f"{look.manage('sources')}; {look.manage(approve)}"
        )
    return right("clinical tables", words if waiting else "every row is checked or approved")
