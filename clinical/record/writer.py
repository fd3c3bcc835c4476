"""The only writer of the patient record: versions, supersession, and what follows from them.

Everything that depends on the record (facts, passages, index changes, staleness of answers) is
written in the same transaction, so that no reader sees one without the other.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from clinical.domain.versions import Effect, VersionFacts, decide
from clinical.models import (
    FactRow,
    Feed,
    IndexChange,
    PassageRow,
    ResourceVersion,
)
from clinical.record.in_effect import fact_rows, passage_rows, tell_index
from clinical.record.receipts import note_deletions
from clinical.record.related_documents import follow_relations, forget_relations, replaced_now
from clinical.record.staleness import change_of, mark_citing, mark_merged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.record.incoming import Prepared
    from clinical.record.related_documents import Place

Identity = tuple[str, str, str]


def write(batch: Sequence[Prepared], *, now: datetime) -> list[Effect]:
    """Write a batch of prepared versions in the order given; returns the effect of each.

    The caller holds the transaction (its counts belong into the same one). Batches should be small
    enough to commit within about 50 ms.

    Raises:
        django.db.IntegrityError: another writer was first; roll back and try again.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("write() belongs into the caller's transaction")
    if not batch:
        return []
    held = _held([prepared.identity for prepared in batch])
    replaced_already = replaced_now(batch)
    effects: list[Effect] = []
    replaced: list[tuple[ResourceVersion, Prepared]] = []
    created: list[tuple[Prepared, ResourceVersion]] = []
    for prepared in batch:
        versions = held[prepared.identity]
        current = next((version for version in versions if version.is_current), None)
        effect = decide(
            prepared.order,
            [_facts_of(version) for version in versions],
            None if current is None else _facts_of(current),
        )
        if effect is Effect.STORED and prepared.identity in replaced_already and not prepared.incoming.deleted:
            # Another document stands in its place: what comes of it now is history.
            known = any(version.sha256 == prepared.order.sha256 for version in versions)
            effect = Effect.UNCHANGED if known else Effect.SUPERSEDED
        effects.append(effect)
        if effect is Effect.UNCHANGED:
            continue
        row = _row(prepared, number=len(versions) + 1, current=effect is Effect.STORED, now=now)
        versions.append(row)
        if effect is Effect.STORED and current is not None:
            current.is_current = False
            replaced.append((current, prepared))
        created.append((prepared, row))
    freed = _retire(replaced, now=now)
    _insert(created, now=now)
    follow_relations(created, freed=freed, now=now)
    mark_merged((prepared for prepared, row in created if row.is_current), now=now)
    return effects


def heard_from(feed: str, *, now: datetime) -> None:
    """Note that a feed has spoken, in the caller's transaction."""
    Feed.objects.update_or_create(name=feed, defaults={"last_message_at": now})


def _held(identities: Sequence[Identity]) -> dict[Identity, list[ResourceVersion]]:
    """Return all versions held of these resources, oldest first, without their content."""
    wanted = set(identities)
    query = Q()
    by_type: dict[tuple[str, str], list[str]] = defaultdict(list)
    for server, resource_type, logical_id in wanted:
        by_type[server, resource_type].append(logical_id)
    for (server, resource_type), ids in by_type.items():
        query |= Q(server=server, resource_type=resource_type, logical_id__in=ids)
    held: dict[Identity, list[ResourceVersion]] = defaultdict(list)
    for row in ResourceVersion.objects.filter(query).defer("content").order_by("number"):
        held[row.server, row.resource_type, row.logical_id].append(row)
    return held


def _facts_of(row: ResourceVersion) -> VersionFacts:
    return VersionFacts(
        sha256=row.sha256,
        source_version=row.source_version,
        source_updated=row.source_updated,
        deleted=row.deleted,
    )


def _row(prepared: Prepared, *, number: int, current: bool, now: datetime) -> ResourceVersion:
    incoming = prepared.incoming
    return ResourceVersion(
        patient=incoming.patient,
        server=incoming.server,
        resource_type=incoming.resource_type,
        logical_id=incoming.logical_id,
        number=number,
        source_version=prepared.order.source_version[:64],
        source_updated=prepared.order.source_updated,
        status=prepared.status,
        effective=prepared.effective[:40],
        labels=prepared.labels,
        restricted=prepared.restricted,
        sha256=prepared.order.sha256,
        original_sha256=incoming.original_sha256,
        original_position=incoming.position,
        feed=incoming.feed,
        stored_at=now,
        is_current=current,
        deleted=incoming.deleted,
        content=prepared.content,
    )


def _retire(replaced: list[tuple[ResourceVersion, Prepared]], *, now: datetime) -> set[Place]:
    """Take versions out of effect: their facts, passages and vectors go, answers on them turn stale.

    Returns:
        The documents that these versions had replaced.
    """
    # Versions that came and were replaced within one batch are not in the database yet.
    newest = {prepared.identity: prepared for _row, prepared in replaced}
    saved = [row for row, _prepared in replaced if not row._state.adding]
    if not saved:
        return set()
    ids = [row.pk for row in saved]
    after = [newest[row.server, row.resource_type, row.logical_id] for row in saved]
    note_deletions(list(zip(saved, after, strict=True)), now=now)
    ResourceVersion.objects.filter(pk__in=ids).update(is_current=False)
    FactRow.objects.filter(version_id__in=ids).delete()
    passages = list(PassageRow.objects.filter(version_id__in=ids).values_list("id", flat=True))
    PassageRow.objects.filter(id__in=passages).delete()
    tell_index(IndexChange.Operation.DELETE, passages, now=now)
    reasons = [
        change_of(by.status, deleted=by.incoming.deleted, restricted=by.restricted and not row.restricted)
        for row, by in zip(saved, after, strict=True)
    ]
    mark_citing(zip((row.key for row in saved), reasons, strict=True), now=now)
    return forget_relations(ids)


def _insert(created: list[tuple[Prepared, ResourceVersion]], *, now: datetime) -> None:
    ResourceVersion.objects.bulk_create([row for _, row in created])
    in_effect = [(p, row, row.patient_id) for p, row in created if row.is_current and row.patient_id]
    FactRow.objects.bulk_create([one for prepared, row, owner in in_effect for one in fact_rows(prepared, row, owner)])
    passages = [one for prepared, row, owner in in_effect for one in passage_rows(prepared, row, owner)]
    PassageRow.objects.bulk_create(passages)
    tell_index(IndexChange.Operation.UPSERT, (passage.id for passage in passages), now=now)
