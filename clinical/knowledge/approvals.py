"""Which rows may be used here: approvals by a named pharmacist or physician of the site, and their withdrawal."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Q

from clinical.audit import trail
from clinical.domain.provenance import Provenance, SourceStatus, Trust
from clinical.knowledge.tables import row_of, table_named, tables
from clinical.models import RowApproval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from clinical.domain.provenance import KnowledgeRow

PROFESSIONS: Final = frozenset({"pharmacist", "physician"})


class ApprovalRefusedError(Exception):
    """The approval is not made. `reason` is `profession`, `no-name` or `no-row`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approves: the person's name and profession, and the login name that acts."""

    name: str
    profession: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A row as it stands here: its status, and who approved it, "" where nobody did."""

    table: str
    row: str
    provenance: Provenance
    status: SourceStatus
    approver: str


_held: dict[str, tuple[object, Trust]] = {}


def trust() -> Trust:
    """Return which rows may be used here; read from the database only when an approval has come or gone.

    Rows of RowApproval are added and withdrawn, never changed otherwise, so counts and ends tell any two states
    apart; one small query asks for them.
    """
    mark = (
        settings.CLINICAL_PROFILE,
        *RowApproval.objects.aggregate(
            made=Count("id"),
            standing=Count("id", filter=Q(withdrawn_at=None)),
            last=Max("id"),
            first_digest=Min("digest", filter=Q(withdrawn_at=None)),
            last_digest=Max("digest", filter=Q(withdrawn_at=None)),
            withdrawn=Max("withdrawn_at"),
        ).values(),
    )
    held = _held.get("trust")
    if held is None or held[0] != mark:
        digests = RowApproval.objects.filter(withdrawn_at=None).values_list("digest", flat=True)
        held = (mark, Trust(site=settings.CLINICAL_PROFILE == "site", approved=frozenset(digests)))
        _held["trust"] = held
    return held[1]


def approve(table: str, rows: Sequence[str] | None, approver: Approver, *, now: datetime) -> int:
    """Approve rows of a table as they stand, all of them for None; return how many were not approved before.

    The trail says who and which before anything is written; a refusal is on it too.

    Raises:
        ApprovalRefusedError: not a pharmacist or physician, no name, or no row given.
        UnknownTableError: no such table or row.
        django.db.Error: the trail cannot be written; nothing is approved.
    """
    reason = _refusal(rows, approver)
    if reason:
        _record("knowledge.approve", "DENIED", approver, table, (), now=now)
        raise ApprovalRefusedError(reason)
    chosen = _chosen(table, rows)
    standing = set(RowApproval.objects.filter(table=table, withdrawn_at=None).values_list("digest", flat=True))
    new = [row for row in chosen if row.digest not in standing]
    _record("knowledge.approve", "SUCCESS", approver, table, new, now=now)
    with transaction.atomic():
        RowApproval.objects.bulk_create(
            RowApproval(
                digest=row.digest,
                table=table,
                row=row.id,
                approver=approver.name,
                profession=approver.profession,
                user_id=approver.user_id,
                approved_at=now,
            )
            for row in new
        )
    return len(new)


def withdraw(table: str, rows: Sequence[str] | None, approver: Approver, *, now: datetime) -> int:
    """Withdraw standing approvals of rows, all of the table for None; return how many stood.

    Approvals of an earlier wording of a row are withdrawn with it.

    Raises:
        ApprovalRefusedError: not a pharmacist or physician, no name, or no row given.
        UnknownTableError: no such table or row.
        django.db.Error: the trail cannot be written; nothing is withdrawn.
    """
    reason = _refusal(rows, approver)
    if reason:
        _record("knowledge.withdraw", "DENIED", approver, table, (), now=now)
        raise ApprovalRefusedError(reason)
    chosen = _chosen(table, rows)
    _record("knowledge.withdraw", "SUCCESS", approver, table, chosen, now=now)
    standing = RowApproval.objects.filter(table=table, withdrawn_at=None)
    if rows is not None:
        standing = standing.filter(row__in=[row.id for row in chosen])
    return standing.update(withdrawn_at=now)


def listing() -> Iterator[Listed]:
    """Yield every row of every table with its status here and its approver."""
    standing = dict(RowApproval.objects.filter(withdrawn_at=None).values_list("digest", "approver"))
    here = trust()
    for table in tables().values():
        for row in table.rows:
            status = here.status(row.provenance, row.digest)
            yield Listed(table.name, row.id, row.provenance, status, standing.get(row.digest, ""))


def counts() -> dict[str, Counter[str]]:
    """Return how many rows of each table are checked, from memory and approved."""
    found: dict[str, Counter[str]] = {}
    for one in listing():
        found.setdefault(one.table, Counter())[one.status.value] += 1
    return found


def _refusal(rows: Sequence[str] | None, approver: Approver) -> str:
    if approver.profession not in PROFESSIONS:
        return "profession"
    if not approver.name.strip():
        return "no-name"
    return "no-row" if rows is not None and not rows else ""


def _chosen(table: str, rows: Sequence[str] | None) -> list[KnowledgeRow]:
    if rows is None:
        return list(table_named(table).rows)
    return [row_of(table, row) for row in dict.fromkeys(rows)]


def _record(
    action: str, outcome: str, approver: Approver, table: str, rows: Sequence[KnowledgeRow], *, now: datetime
) -> None:
    """Write the trail: who, which table, how many rows, and one digest over theirs; single rows by name."""
    detail: dict[str, Any] = {
        "table": table if table in tables() else "unknown",
        "rows": len(rows),
        "digest": hashlib.sha256("".join(sorted(row.digest for row in rows)).encode()).hexdigest(),
        "profession": approver.profession if approver.profession in PROFESSIONS else "other",
        "approver": approver.name,
    }
    if len(rows) == 1:
        detail["row"] = rows[0].id
    trail.append(trail.Entry(action=action, outcome=outcome, user_id=approver.user_id, detail=detail), now=now)
