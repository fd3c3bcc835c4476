"""Saved answers turn stale when what they rest on changes, in the transaction that changes it."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from clinical.domain.projection.rows import IN_ERROR
from clinical.domain.relations import RelationKind
from clinical.models import Answer, AnswerCitation, DocumentRelation, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from django.db.models import QuerySet

    from clinical.record.incoming import Prepared


class StaleReason(StrEnum):
    """Why an answer is stale; the later a member stands here, the graver it is."""

    REPLACED = "replaced"
    CORRECTED = "corrected"
    DELETED = "deleted"
    ENTERED_IN_ERROR = "entered-in-error"
    MERGED = "merged"
    RESTRICTED = "restricted"


# Observation.status and DiagnosticReport.status of a result that was changed after it was final
# (https://hl7.org/fhir/R4/valueset-observation-status.html); DocumentReference.docStatus has "amended" too.
_CORRECTIONS: Final = frozenset({"corrected", "amended", "appended"})
# Patient.link.type: this record and another are of one person and one of them has given way
# (https://hl7.org/fhir/R4/valueset-link-type.html).
_MERGES: Final = frozenset({"replaced-by", "replaces"})
_GRAVITY: Final = tuple(StaleReason)


def change_of(status: str, *, deleted: bool, restricted: bool = False) -> StaleReason:
    """Return what a newer version with this status does to answers that cite an older one.

    `restricted`: its security labels keep it from being read, the older ones did not.
    """
    if restricted:
        return StaleReason.RESTRICTED
    if deleted:
        return StaleReason.DELETED
    if status == IN_ERROR:
        return StaleReason.ENTERED_IN_ERROR
    return StaleReason.CORRECTED if status in _CORRECTIONS else StaleReason.REPLACED


def mark_citing(changes: Iterable[tuple[str, StaleReason]], *, now: datetime) -> None:
    """Mark the answers that cite these versions (by `ResourceVersion.key`); in the caller's transaction."""
    by_reason: dict[StaleReason, list[str]] = defaultdict(list)
    for key, reason in changes:
        by_reason[reason].append(key)
    for reason, keys in by_reason.items():
        citing = AnswerCitation.objects.filter(version_key__in=keys).values("answer_id")
        _mark(citing, reason, now=now)


def mark_patient(patient_id: UUID, reason: StaleReason, *, now: datetime) -> None:
    """Mark every answer about a patient, whose record is no longer one and the same; in the caller's transaction."""
    _mark(Answer.objects.filter(question__patient_id=patient_id).values("id"), reason, now=now)


def mark_merged(written: Iterable[Prepared], *, now: datetime) -> None:
    """Mark the answers about patients whose new Patient resource says that two records were made one."""
    for prepared in written:
        incoming = prepared.incoming
        if incoming.resource_type == "Patient" and incoming.patient is not None and b'"link"' in incoming.content:
            links = msgspec.json.decode(incoming.content).get("link") or ()
            if any(isinstance(link, dict) and link.get("type") in _MERGES for link in links):
                mark_patient(incoming.patient.id, StaleReason.MERGED, now=now)


def changed_meanwhile(versions: Iterable[ResourceVersion]) -> StaleReason | None:
    """Return what has happened to cited versions since they were read, the gravest of it; None if nothing has."""
    found = []
    for row in versions:
        if not row.is_current:
            newer = ResourceVersion.objects.filter(
                server=row.server, resource_type=row.resource_type, logical_id=row.logical_id, is_current=True
            ).values_list("status", "deleted")
            in_effect = newer.first()
            if in_effect is None and _is_replaced(row):
                found.append(StaleReason.REPLACED)
                continue
            status, deleted = in_effect or ("", True)
            found.append(change_of(status, deleted=deleted))
    return max(found, key=_GRAVITY.index, default=None)


def _is_replaced(row: ResourceVersion) -> bool:
    """Return whether another document has taken the place of this one."""
    named = {"server": row.server, "target_type": row.resource_type, "target_id": row.logical_id}
    relations = DocumentRelation.objects.filter(kind=RelationKind.REPLACES, **named)
    return row.patient_id is not None and relations.filter(patient_id=row.patient_id).exists()


def _mark(answers: QuerySet[Any, Any], reason: StaleReason, *, now: datetime) -> None:
    """Mark fresh answers; of stale ones only the reason, where this one is graver."""
    lesser = _GRAVITY[: _GRAVITY.index(reason)]
    chosen = Answer.objects.filter(id__in=answers)
    chosen.filter(stale_since__isnull=False, stale_reason__in=["", *lesser]).update(stale_reason=reason)
    chosen.filter(stale_since=None).update(stale_since=now, stale_reason=reason)
