"""Shreds a patient's record: unreadable at once, then taken apart piece by piece, so that it can be taken up again.

`begin` marks his key destroyed, which ends every read in every process, and takes away what lists or finds
him. His identifiers, his versions and the bytes of his key stay until `finish`: by them he is recognised in
what he shares with others (files, a Group), and nothing new is registered for him meanwhile. An open
receipt says that an erasure is under way.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import transaction

from clinical.domain.traces import Traces, traces_of
from clinical.keys import cipher_for_erasing, forget_keys, site_cipher
from clinical.models import (
    Answer,
    AnswerCitation,
    CardFeedback,
    DataKey,
    DeletionReceipt,
    IndexChange,
    PassageRow,
    Patient,
    PatientMerge,
    Question,
    ResourceVersion,
)
from clinical.ports import BackendUnavailableError, backends
from clinical.record import facts_held
from clinical.record.in_effect import tell_index
from clinical.record.incoming import decode_resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.db.models import ForeignObjectRel, Model, QuerySet

PAUSE_S: Final = 0.5
# By these he is recognised in what he shares with others, or found again.
_TO_THE_END: Final = frozenset({"versions", "identifiers", "merged_in", "merged_into"})
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def begin(patient: Patient, *, reason: str, user_id: str, now: datetime) -> DeletionReceipt:
    """Make the patient unreadable in one transaction and return the receipt; the open one when there is one.

    The caller has written the first audit row.
    """
    with transaction.atomic():
        key = DataKey.objects.select_for_update().get(id=patient.data_key_id)
        receipt = open_receipts().filter(patient_id=patient.id).first()
        if receipt is None:
            receipt = DeletionReceipt.objects.create(
                kind=DeletionReceipt.Kind.PATIENT,
                patient_id=patient.id,
                reason=reason,
                user_id=user_id,
                begun_at=now,
                before=counts_of(patient.id),
            )
        if key.destroyed_at is None:
            key.destroyed_at = now
            key.save(update_fields=["destroyed_at"])
        _hide(patient.id, now=now)
    forget_keys()
    facts_held.forget(patient.id)
    return receipt


def open_receipts() -> QuerySet[DeletionReceipt]:
    """Return the receipts of erasures that have not come to their end."""
    return DeletionReceipt.objects.filter(kind=DeletionReceipt.Kind.PATIENT, finished_at=None)


def counts_of(patient_id: UUID) -> dict[str, int]:
    """Count everything that is held of a patient in the record, by the name of the relation to him."""
    of_questions = Question.objects.filter(patient_id=patient_id)
    return {
        "keys": DataKey.objects.filter(patient__id=patient_id).exclude(wrapped=b"").count(),
        **{name: _of(relation, patient_id).count() for name, relation in _relations().items()},
        "index_vectors": PassageRow.objects.filter(patient_id=patient_id, indexed_at__isnull=False).count(),
        "answers": Answer.objects.filter(question__in=of_questions).count(),
        "citations": AnswerCitation.objects.filter(answer__question__in=of_questions).count(),
        "card_feedback": CardFeedback.objects.filter(card__patient_id=patient_id).count(),
    }


def _relations() -> dict[str, ForeignObjectRel]:
    """Return every relation to a patient, by name: a table that is new is counted, and cleared, without being told."""
    return {str(one.get_accessor_name()): one for one in Patient._meta.related_objects}


def _of(relation: ForeignObjectRel, patient_id: UUID) -> QuerySet[Model]:
    manager = relation.related_model._default_manager  # noqa: SLF001 - Django's documented model API
    rows: QuerySet[Model] = manager.filter(**{relation.field.attname: patient_id})
    return rows


def traces_held(patient: Patient) -> Traces:
    """Return what the patient is recognised by in what he shares with others."""
    cipher = cipher_for_erasing(patient.data_key)

    def described() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
        for row in ResourceVersion.objects.filter(patient=patient).iterator(chunk_size=500):
            held = cipher is not None and not row.deleted
            content = cipher.decrypt(row.content, binding=row.key) if cipher is not None and held else b"{}"
            yield row.server, row.resource_type, row.logical_id, row.sha256, decode_resource(content)

    return traces_of(described())


def cut_from_shared(traces: Traces) -> int:
    """Take the patient out of versions that belong to nobody and refer to him; returns how many changed."""
    cipher = site_cipher()
    rows = ResourceVersion.objects.filter(patient=None, deleted=False)
    found: list[tuple[ResourceVersion, dict[str, Any] | None]] = []
    for row in rows.iterator(chunk_size=500):
        content = cipher.decrypt(row.content, binding=row.key)
        if traces.are_identified_in(content):
            resource: dict[str, Any] = decode_resource(content)
            rest = traces.without(resource, row.server)
            if rest != resource:
                found.append((row, rest))
    for row, rest in found:
        if rest is None:
            ResourceVersion.objects.filter(pk=row.pk).delete()
            continue
        left = _encode(rest)
        row.sha256 = hashlib.sha256(left).hexdigest()
        row.content = cipher.encrypt(left, binding=row.key)
        row.save(update_fields=["sha256", "content"])
    return len(found)


def clear_index(patient_id: UUID, *, wait_s: float, clock: Callable[[], datetime]) -> int | None:
    """Delete the patient's vectors from the index and look until none is left.

    Args:
        patient_id: whose.
        wait_s: seconds to go on when the service does not answer, or a worker that had read a passage
            before it was deleted writes it once more.
        clock: timezone-aware.

    Returns:
        How many the index still holds; None when it could not be asked.
    """
    limit = time.monotonic() + wait_s
    left: int | None = None
    while True:
        with transaction.atomic():
            _hide(patient_id, now=clock())  # what was being written when the key was destroyed
        try:
            left = _delete_vectors(patient_id)
        except BackendUnavailableError:
            left = None
        if left == 0 or time.monotonic() >= limit:
            return left
        time.sleep(min(PAUSE_S, wait_s))


def finish(
    receipt: DeletionReceipt, *, after: dict[str, int | None], audit: Callable[[bool], UUID], now: datetime
) -> None:
    """Delete the rest and close the receipt, in one transaction with the trail's last row.

    Args:
        receipt: the open one; closed unless a count in `after` is not 0.
        after: counts of what lies outside the record's tables; None where nobody could count.
        audit: writes the last audit row, told whether nothing is left, and returns its id.
        now: timezone-aware.
    """
    assert receipt.patient_id is not None  # noqa: S101 - receipts of patients name one
    patient_id = receipt.patient_id
    with transaction.atomic():
        people = Patient.objects.filter(id__in=_with_shells(patient_id))
        key_ids = list(people.values_list("data_key_id", flat=True))
        _hide(patient_id, now=now)
        ResourceVersion.objects.filter(patient_id=patient_id).delete()
        people.delete()
        DataKey.objects.filter(id__in=key_ids).update(wrapped=b"", destroyed_at=now)
        DeletionReceipt.objects.filter(kind=DeletionReceipt.Kind.RESOURCE, patient_id=patient_id).update(resource="")
        left = {"keys": DataKey.objects.filter(id__in=key_ids).exclude(wrapped=b"").count()}
        receipt.after = counts_of(patient_id) | left | after
        done = all(count == 0 for count in receipt.after.values())
        receipt.finished_at = now if done else None
        receipt.audit_id = audit(done)
        receipt.save()
    forget_keys()
    facts_held.forget(patient_id)


def _hide(patient_id: UUID, *, now: datetime) -> None:
    """Delete what lists, finds or answers about him, and tell the index; in the caller's transaction."""
    passages = PassageRow.objects.filter(patient_id=patient_id)
    tell_index(IndexChange.Operation.DELETE, passages.values_list("id", flat=True), now=now)
    for name, relation in _relations().items():
        if name not in _TO_THE_END:
            _of(relation, patient_id).delete()


def _with_shells(patient_id: UUID) -> list[UUID]:
    """Return the patient and the empty shells of those whose records were made one with his."""
    merged = PatientMerge.objects.filter(survivor_id=patient_id, undone_at=None)
    return [patient_id, *merged.values_list("merged_id", flat=True)]


def survivor_of(patient: Patient) -> Patient:
    """Return in whose record a patient's things are: his own, or that of the one he was merged into."""
    merge = PatientMerge.objects.filter(merged=patient, undone_at=None).select_related("survivor").first()
    return patient if merge is None else merge.survivor


def _delete_vectors(patient_id: UUID) -> int:
    """Delete what the index holds of him, of those merged into him, and of patients nobody knows any more."""
    index = backends().index
    index.ensure_collections()

    def left() -> list[UUID]:
        held = list(index.passage_ids())  # before the patients are read: one who is new has no vector yet
        others = set(Patient.objects.values_list("id", flat=True)).difference(_with_shells(patient_id))
        return [passage for passage, tenant in held if tenant not in others]

    found = left()
    if not found:
        return 0
    index.delete_passages(found)
    IndexChange.objects.filter(passage_id__in=found, operation=IndexChange.Operation.DELETE).delete()
    return len(left())
