"""A source that deletes its Patient takes back what it has sent about him; nothing of it is answered any more.

History stays. When he comes back, what was taken back takes effect again; what the source had deleted
singly does not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from clinical.domain.versions import VersionFacts, is_older
from clinical.models import DeletionReceipt, FactRow, IndexChange, PassageRow, ResourceVersion
from clinical.record.in_effect import tell_index
from clinical.record.staleness import StaleReason, mark_citing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from clinical.record.incoming import Prepared


def is_withdrawn(patient_id: UUID, server: str) -> bool:
    """Return whether the Patient resource of this server, or every one held of him, stands deleted."""
    states = dict(
        ResourceVersion.objects.filter(patient_id=patient_id, resource_type="Patient", is_current=True).values_list(
            "server", "deleted"
        )
    )
    return bool(states) and (states.get(server, False) or all(states.values()))


def withdraw(patient_id: UUID, deletion: Prepared, *, now: datetime) -> int:
    """Take out of effect what a patient's record holds of a source that has deleted him.

    Where no other source still has a Patient resource of him that is the whole record, notes that were
    uploaded included. In the caller's transaction, after the deletion was written.

    Args:
        patient_id: whose.
        deletion: of his Patient resource, which took effect.
        now: timezone-aware.

    Returns:
        How many versions went out of effect.
    """
    server = deletion.incoming.server
    rows = ResourceVersion.objects.filter(patient_id=patient_id, is_current=True, deleted=False)
    if rows.filter(resource_type="Patient").exists():
        rows = rows.filter(server=server)
    counts = take_out_of_effect(
        list(rows.exclude(resource_type="Patient").defer("content")), reason=StaleReason.DELETED, now=now
    )
    DeletionReceipt.objects.create(
        kind=DeletionReceipt.Kind.RESOURCE,
        patient_id=patient_id,
        resource=f"Patient/{deletion.incoming.logical_id}"[:200],
        reason="withdrawn",
        user_id=f"feed:{deletion.incoming.feed}"[:150],
        begun_at=now,
        finished_at=now,
        before=counts,
        after={"versions": 0, "facts": 0, "passages": 0},
    )
    return counts["versions"]


def take_out_of_effect(versions: list[ResourceVersion], *, reason: StaleReason, now: datetime) -> dict[str, int]:
    """Let versions count for nothing any more: facts, passages and vectors go, answers on them turn stale.

    In the caller's transaction; the caller writes the receipt.

    Returns:
        How many versions, facts and passages there were.
    """
    ids = [row.pk for row in versions]
    facts = FactRow.objects.filter(version_id__in=ids).delete()[0]
    passages = list(PassageRow.objects.filter(version_id__in=ids).values_list("id", flat=True))
    PassageRow.objects.filter(id__in=passages).delete()
    tell_index(IndexChange.Operation.DELETE, passages, now=now)
    ResourceVersion.objects.filter(pk__in=ids).update(is_current=False)
    mark_citing([(row.key, reason) for row in versions], now=now)
    return {"versions": len(ids), "facts": facts, "passages": len(passages)}


def withdrawn_versions(patient_id: UUID) -> list[ResourceVersion]:
    """Return the version that was in effect of each resource of which now none is, not even a deletion."""
    rows: QuerySet[ResourceVersion] = ResourceVersion.objects.filter(patient_id=patient_id)
    in_effect = set(rows.filter(is_current=True).values_list("server", "resource_type", "logical_id"))
    by_identity: dict[tuple[str, str, str], list[ResourceVersion]] = defaultdict(list)
    for row in rows:
        identity = (row.server, row.resource_type, row.logical_id)
        if identity not in in_effect:
            by_identity[identity].append(row)
    newest = (newest_of(versions) for versions in by_identity.values())
    return [row for row in newest if row is not None and not row.deleted]


def newest_of(versions: Iterable[ResourceVersion]) -> ResourceVersion | None:
    """Return which of these versions of one resource was in effect last; None where there is none."""
    newest: ResourceVersion | None = None
    for row in sorted(versions, key=lambda one: one.number):
        # One that came late and was older by its source's own account never took effect.
        if newest is None or not is_older(facts_of(row), facts_of(newest)):
            newest = row
    return newest


def facts_of(row: ResourceVersion) -> VersionFacts:
    """Return what orders a version among the others of its resource."""
    return VersionFacts(
        sha256=row.sha256,
        source_version=row.source_version,
        source_updated=row.source_updated,
        deleted=row.deleted,
    )
