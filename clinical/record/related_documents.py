"""Documents that replace others or add to them: what was replaced leaves the answers, and comes back if that was wrong.

A replaced document stays as history. It is in nobody's answer, its passages leave the index, saved answers on it turn
stale and a receipt says so, in whichever order the two arrive. When the replacement is deleted, marked as entered in
error or sent again without the reference, the former document takes effect again. Everything in the caller's
transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from clinical.domain.passages import Part
from clinical.domain.relations import BY_IDENTIFIER, RelationKind
from clinical.models import DeletionReceipt, DocumentRelation, IndexChange, PassageRow, ResourceVersion
from clinical.ports import backends
from clinical.record.in_effect import tell_index
from clinical.record.retired import put_back
from clinical.record.staleness import StaleReason, mark_citing
from clinical.record.withdrawal import newest_of, take_out_of_effect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from clinical.domain.relations import Relation
    from clinical.record.incoming import Prepared

Identity = tuple[str, str, str]
Place = tuple["UUID", Identity]
"""A patient and one of his documents."""
_TOGETHER: Final = 200


def replaced_now(batch: Iterable[Prepared]) -> set[Identity]:
    """Return which documents of a batch another document of the same patient, held already, replaces."""
    documents = [
        (one, one.incoming.patient.id)
        for one in batch
        if one.incoming.resource_type == "DocumentReference" and one.incoming.patient is not None
    ]
    _answer_to_names(documents)
    wanted = {(patient_id, one.identity) for one, patient_id in documents}
    return {identity for _patient, identity in _replaced_among(wanted)}


def _answer_to_names(documents: Iterable[tuple[Prepared, UUID]]) -> None:
    """Let what waits for documents of a batch by their identifiers refer to them."""
    named = {
        (patient_id, _key(one)): prepared.identity
        for prepared, patient_id in documents
        for one in prepared.relations
        if one.kind is RelationKind.IDENTIFIED
    }
    if not named:
        return
    waiting = DocumentRelation.objects.filter(target_type=BY_IDENTIFIER, target_id__in={name for _, name in named})
    for row in waiting.exclude(kind=RelationKind.IDENTIFIED):
        if identity := named.get((row.patient_id, row.target_id)):
            _refer(row, identity)


def _refer(row: DocumentRelation, identity: Identity) -> None:
    row.server, row.target_type, row.target_id = identity[0][:255], identity[1], identity[2]
    row.save(update_fields=["server", "target_type", "target_id"])


def _key(relation: Relation) -> str:
    """Return how a relation's target is kept: an id as it is, an identifier as a keyed digest."""
    if relation.target_type != BY_IDENTIFIER:
        return relation.target_id
    return backends().master_key.digest(relation.target_id, purpose="identifier of a document")


def _replaced_among(places: Collection[Place]) -> set[Place]:
    found: set[Place] = set()
    listed = sorted(places)
    for start in range(0, len(listed), _TOGETHER):
        ids = {identity[2] for _, identity in listed[start : start + _TOGETHER]}
        rows = DocumentRelation.objects.filter(kind=RelationKind.REPLACES, target_id__in=ids)
        for patient_id, *identity in rows.values_list("patient_id", "server", "target_type", "target_id"):
            found.add((patient_id, (identity[0], identity[1], identity[2])))
    return found & set(listed)


def forget_relations(version_ids: Sequence[int]) -> set[Place]:
    """Remove what versions that go out of effect referred to; returns the documents they had replaced."""
    rows = DocumentRelation.objects.filter(version_id__in=version_ids)
    replaced = rows.filter(kind=RelationKind.REPLACES)
    freed = {
        (patient_id, (server, kind, logical_id))
        for patient_id, server, kind, logical_id in replaced.values_list(
            "patient_id", "server", "target_type", "target_id"
        )
    }
    rows.delete()
    return freed


def follow_relations(created: Sequence[tuple[Prepared, ResourceVersion]], *, freed: set[Place], now: datetime) -> None:
    """Let take effect what versions just written say of other documents.

    Args:
        created: versions with their rows; those that did not take effect count for nothing.
        freed: documents whose replacement went out of effect, as `forget_relations` gave them.
        now: timezone-aware.
    """
    rows = [
        DocumentRelation(
            patient_id=row.patient_id,
            version=row,
            kind=one.kind,
            server=one.server[:255],
            target_type=one.target_type,
            target_id=_key(one),
        )
        for prepared, row in created
        if row.patient_id is not None
        for one in prepared.relations
        # A document that was replaced before it came keeps its names: another may refer to it by them.
        if row.is_current or one.kind is RelationKind.IDENTIFIED
    ]
    DocumentRelation.objects.bulk_create(rows)
    for row in rows:
        if row.target_type == BY_IDENTIFIER and row.kind != RelationKind.IDENTIFIED:
            _find_by_name(row)
    for row in rows:
        target = _current(row)
        if target is not None and row.kind == RelationKind.REPLACES:
            _take_out(target, by=row.version.feed, now=now)
        elif target is not None and row.kind == RelationKind.APPENDS:
            mark_citing([(target.key, StaleReason.CORRECTED)], now=now)
    for patient_id, identity in sorted(freed - _replaced_among(freed)) if freed else ():
        _bring_back(patient_id, identity, now=now)


def _find_by_name(row: DocumentRelation) -> None:
    """Let a reference by identifier refer to the newest document of the same patient that has it, if one is held."""
    named = DocumentRelation.objects.filter(
        patient_id=row.patient_id, kind=RelationKind.IDENTIFIED, target_id=row.target_id
    ).exclude(version__logical_id=row.version.logical_id)
    found = named.order_by("-version_id").select_related("version").defer("version__content").first()
    if found is not None:
        target = found.version
        _refer(row, (target.server, target.resource_type, target.logical_id))


def take_content_out(server: str, binary_id: str, *, feed: str, now: datetime) -> None:
    """Let the words of documents leave the answers whose Binary was deleted; that there is such a document stays."""
    naming = DocumentRelation.objects.filter(
        kind=RelationKind.CONTENT, server=server, target_id=binary_id, version__is_current=True
    )
    for row in ResourceVersion.objects.filter(pk__in=naming.values("version_id")).defer("content"):
        passages = PassageRow.objects.filter(version=row, part=Part.TEXT)
        gone = list(passages.values_list("id", flat=True))
        passages.delete()
        tell_index(IndexChange.Operation.DELETE, gone, now=now)
        mark_citing([(row.key, StaleReason.DELETED)], now=now)
        DeletionReceipt.objects.create(
            kind=DeletionReceipt.Kind.RESOURCE,
            patient_id=row.patient_id,
            resource=row.reference[:200],
            reason="content-deleted",
            user_id=f"feed:{feed}"[:150],
            begun_at=now,
            finished_at=now,
            before={"passages": len(gone)},
            after={"passages": 0},
        )


def _current(relation: DocumentRelation) -> ResourceVersion | None:
    """Return the version in effect of what a relation refers to, in the same record."""
    return (
        ResourceVersion.objects.filter(
            patient_id=relation.patient_id,
            server=relation.server,
            resource_type=relation.target_type,
            logical_id=relation.target_id,
            is_current=True,
            deleted=False,
        )
        .defer("content")
        .first()
    )


def _take_out(row: ResourceVersion, *, by: str, now: datetime) -> None:
    counts = take_out_of_effect([row], reason=StaleReason.REPLACED, now=now)
    DeletionReceipt.objects.create(
        kind=DeletionReceipt.Kind.RESOURCE,
        patient_id=row.patient_id,
        resource=row.reference[:200],
        reason="replaced",
        user_id=f"feed:{by}"[:150],
        begun_at=now,
        finished_at=now,
        before={"facts": counts["facts"], "passages": counts["passages"]},
        after={"facts": 0, "passages": 0},
    )


def _bring_back(patient_id: UUID, identity: Identity, *, now: datetime) -> None:
    server, kind, logical_id = identity
    rows = ResourceVersion.objects.filter(
        Q(server=server, resource_type=kind, logical_id=logical_id), patient_id=patient_id
    ).select_related("patient__data_key")
    if any(row.is_current for row in rows):
        return
    newest = newest_of(rows)
    if newest is not None and not newest.deleted and newest.patient is not None:
        put_back([newest.pk], newest.patient, now=now)
