"""Deletes again what a restored backup has brought back: from the receipts of deletions that came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from clinical.keys import cipher_of
from clinical.models import DeletionReceipt, Patient, ResourceVersion
from clinical.record import erase as record
from clinical.record.consent import LIMITED, WITHDRAWN, take_record_out, take_resource_out
from clinical.record.incoming import Incoming, prepare
from clinical.record.receipts import LABEL_REMOVED
from clinical.record.withdrawal import withdraw
from clinical.record.writer import write
from ingestion.erasure.services import carry_through

if TYPE_CHECKING:
    from ingestion.erasure.services import Erasing

_FEED = "restore"


def repeat(receipt: DeletionReceipt, *, by: Erasing) -> DeletionReceipt:
    """Repeat one deletion and keep its receipt under the id it had; a second call changes nothing.

    Args:
        receipt: unsaved, with id, kind, patient, resource, reason, user and begin of the deletion.
        by: who restores; the decision to delete was the receipt's user's.

    Raises:
        django.db.Error: the trail or the record cannot be written; run it again.
    """
    assert receipt.patient_id is not None  # noqa: S101 - receipts name whose
    held = DeletionReceipt.objects.filter(id=receipt.id).first()
    if held is not None and held.finished_at is not None:
        return held
    if receipt.kind == DeletionReceipt.Kind.RESOURCE:
        return _resource(receipt, by)
    patient = Patient.objects.filter(id=receipt.patient_id).first()
    by.note("STARTED", str(receipt.patient_id), receipt=str(receipt.id))
    receipt.finished_at = None
    if held is None:
        receipt.before = {} if patient is None else record.counts_of(patient.id)
        receipt.save(force_insert=True)
    if patient is not None:
        receipt = record.begin(patient, reason=receipt.reason, user_id=receipt.user_id, now=by.clock())
    return carry_through(receipt, by)


def _resource(receipt: DeletionReceipt, by: Erasing) -> DeletionReceipt:
    assert receipt.patient_id is not None  # noqa: S101 - receipts name whose
    if receipt.reason in (LABEL_REMOVED, WITHDRAWN, LIMITED):
        return _without_deleting(receipt, by)
    resource_type, _, logical_id = receipt.resource.partition("/")
    rows = ResourceVersion.objects.filter(
        patient_id=receipt.patient_id,
        resource_type=resource_type,
        logical_id=logical_id,
        is_current=True,
        deleted=False,
        stored_at__lt=receipt.begun_at,
    ).exclude(status="entered-in-error")
    now = by.clock()
    with transaction.atomic():
        for row in rows.select_related("patient__data_key"):
            assert row.patient is not None  # noqa: S101 - receipts are of patients' resources
            deletion = Incoming(
                patient=row.patient,
                server=row.server,
                resource_type=row.resource_type,
                logical_id=row.logical_id,
                content=b"",
                deleted=True,
                feed=_FEED,
                original_sha256=row.original_sha256,
                position="",
            )
            prepared = prepare(deletion, cipher_of(row.patient), {}, {})
            write([prepared], now=now)
            if resource_type == "Patient":
                withdraw(row.patient.id, prepared, now=now)
        receipt.finished_at = now
        receipt.save(force_insert=True)
    return receipt


def _without_deleting(receipt: DeletionReceipt, by: Erasing) -> DeletionReceipt:
    """Repeat what deletes nothing: a label that went lets something be found; a consent takes out what it denies."""
    assert receipt.patient_id is not None  # noqa: S101 - receipts name whose
    now = by.clock()
    with transaction.atomic():
        if receipt.reason == WITHDRAWN:
            take_record_out(receipt.patient_id, now=now)
        elif receipt.reason == LIMITED:
            take_resource_out(receipt.patient_id, receipt.resource, before=receipt.begun_at, now=now)
        receipt.finished_at = now
        receipt.save(force_insert=True)
    return receipt
