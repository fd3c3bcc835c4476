"""What follows in the record when a Consent takes effect, or its time begins or ends.

What is denied leaves the answers; what is denied no more comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from clinical.domain.versions import Effect
from clinical.keys import KeyDestroyedError, cipher_of
from clinical.models import Patient, ResourceVersion
from clinical.record.consent import (
    CONSENT,
    Rules,
    close,
    limit,
    moments_of,
    note_conditions,
    rules_of,
    take_record_out,
)
from clinical.record.incoming import as_held, decode_resource, prepare
from clinical.record.selectors import content_of, resource_of
from clinical.record.withdrawal import is_withdrawn, withdrawn_versions
from clinical.record.writer import write
from ingestion.steps.related import related_to

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from clinical.keys import Cipher
    from clinical.record.incoming import Prepared

_CLOCK: Final = "clock"
# By version of a Consent, which never changes: when its rules begin and end. Read once a process.
_moments: dict[int, tuple[datetime, ...]] = {}


def follow_consents(versions: Sequence[Prepared], effects: Sequence[Effect], *, now: datetime) -> None:
    """Close, limit or open the records of patients whose Consents changed; in the caller's transaction."""
    for prepared, effect in zip(versions, effects, strict=True):
        incoming = prepared.incoming
        if incoming.resource_type != CONSENT or effect is not Effect.STORED or incoming.patient is None:
            continue
        if not incoming.deleted:
            note_conditions(prepared, now=now)
        rules = rules_of(incoming.patient.id, now=now)
        if rules.closed:
            close(incoming.patient.id, prepared, now=now)
        else:
            _open(incoming.patient, rules, now=now)
            limit(incoming.patient.id, rules, by=incoming.feed, now=now)


def follow_the_clock(*, since: datetime | None, now: datetime) -> int:
    """Let Consents take effect whose rule began or ended after `since`, at any time before `now` when it is None.

    Returns:
        How many patients' records were looked at.
    """
    due: set[UUID] = set()
    rows = ResourceVersion.objects.filter(resource_type=CONSENT, is_current=True, deleted=False)
    of_whom: list[tuple[int, UUID | None]] = list(rows.values_list("pk", "patient_id"))
    for version_id, patient_id in of_whom:
        if patient_id is not None and any(
            (since is None or since < one) and one <= now for one in _moments_of(version_id)
        ):
            due.add(patient_id)
    for patient in Patient.objects.filter(id__in=due, data_key__destroyed_at=None).select_related("data_key"):
        with transaction.atomic():
            rules = rules_of(patient.id, now=now)
            if rules.closed:
                take_record_out(patient.id, now=now)
            else:
                _open(patient, rules, now=now)
                limit(patient.id, rules, by=_CLOCK, now=now)
    return len(due)


def _moments_of(version_id: int) -> tuple[datetime, ...]:
    if version_id not in _moments:
        row = ResourceVersion.objects.select_related("patient__data_key").get(pk=version_id)
        try:
            _moments[version_id] = tuple(moments_of(row))
        except KeyDestroyedError:  # erased meanwhile
            return ()
    return _moments[version_id]


def _open(patient: Patient, rules: Rules, *, now: datetime) -> None:
    """Let take effect again what a consent had taken out; not what a source has deleted with its Patient."""
    rows = [
        row
        for row in withdrawn_versions(patient.id)
        if row.resource_type != "Patient"
        and not is_withdrawn(patient.id, row.server)
        and not (rules.denials and rules.withhold(resource_of(row)))
    ]
    if rows:
        cipher = cipher_of(patient)
        write([again(row, patient, cipher) for row in rows], now=now)


def again(row: ResourceVersion, patient: Patient, cipher: Cipher) -> Prepared:
    """Prepare a version that was in effect before for taking effect again."""
    content = content_of(row)
    resource = decode_resource(content)
    incoming = as_held(row, patient, content)
    return prepare(incoming, cipher, resource, related_to(resource, row.server, {}))
