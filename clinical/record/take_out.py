"""Takes a version out of a record into which a person had put it by mistake.

It goes out of effect as a deletion does: facts, passages and vectors go, answers on it turn stale, a receipt says so.
The resource is nobody's afterwards, so that it can be put into the right record. History stays: answers were
given on it, and they can be replayed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from clinical.identity.services import complete
from clinical.keys import cipher_of
from clinical.models import DeletionReceipt, ResourceVersion
from clinical.record.incoming import as_held, decode_resource, prepare
from clinical.record.selectors import content_of, current_patient_resource
from clinical.record.writer import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from clinical.models import Patient
    from clinical.record.incoming import Prepared


def take_out(
    version: ResourceVersion,
    *,
    instead: ResourceVersion | None,
    related: Mapping[str, dict[str, Any]],
    reason: str,
    user_id: str,
    now: datetime,
) -> None:
    """Take a version out of effect; does nothing to one that a newer version has replaced already.

    Args:
        version: of a patient's record.
        instead: an earlier version of the same resource in the same record, which takes effect again.
        related: resources by reference, to name a drug that `instead` only refers to.
        reason: a code, as it stands on the receipt.
        user_id: who decided.
        now: timezone-aware.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("take_out() belongs into the caller's transaction")
    patient = version.patient
    if patient is None or not version.is_current or version.deleted:
        return
    write([_prepared(version, patient, {}, deleted=True)], now=now)
    place = ResourceVersion.objects.filter(
        server=version.server, resource_type=version.resource_type, logical_id=version.logical_id
    )
    # The deletion stands in the history, and keeps the resource in nobody's possession.
    place.filter(is_current=True).update(is_current=False)
    DeletionReceipt.objects.filter(patient_id=patient.id, resource=version.reference[:200], begun_at=now).update(
        reason=reason, user_id=user_id[:150]
    )
    if instead is not None:
        write([_prepared(instead, patient, related, deleted=False)], now=now)
    if version.resource_type == "Patient":
        complete(patient, current_patient_resource(patient) or {})


def _prepared(
    row: ResourceVersion, patient: Patient, related: Mapping[str, dict[str, Any]], *, deleted: bool
) -> Prepared:
    content = b"" if deleted else content_of(row)
    resource: dict[str, Any] = {} if deleted else decode_resource(content)
    incoming = as_held(row, patient, content, deleted=deleted)
    return prepare(incoming, cipher_of(patient), resource, related)
