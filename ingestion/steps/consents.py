"""What follows in the record when a Consent takes effect: it is closed, or it opens again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.consent import Stance, stance_of
from clinical.domain.versions import Effect
from clinical.keys import cipher_of
from clinical.record.consent import CONSENT, close, is_closed, note_conditions
from clinical.record.incoming import as_held, decode_resource, prepare
from clinical.record.selectors import content_of
from clinical.record.withdrawal import is_withdrawn, withdrawn_versions
from clinical.record.writer import write
from ingestion.steps.related import related_to

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.keys import Cipher
    from clinical.models import Patient, ResourceVersion
    from clinical.record.incoming import Prepared


def follow_consents(versions: Sequence[Prepared], effects: Sequence[Effect], *, now: datetime) -> None:
    """Close or open the records of patients whose Consents changed; in the caller's transaction."""
    for prepared, effect in zip(versions, effects, strict=True):
        incoming = prepared.incoming
        if incoming.resource_type != CONSENT or effect is not Effect.STORED or incoming.patient is None:
            continue
        if not incoming.deleted and stance_of(decode_resource(incoming.content)) is Stance.CONDITIONAL:
            note_conditions(prepared, now=now)
        if is_closed(incoming.patient.id):
            close(incoming.patient.id, prepared, now=now)
        else:
            _open(incoming.patient, now=now)


def _open(patient: Patient, *, now: datetime) -> None:
    """Let take effect again what a withdrawn consent had taken out; not what a source has deleted with its Patient."""
    rows = [
        row
        for row in withdrawn_versions(patient.id)
        if row.resource_type != "Patient" and not is_withdrawn(patient.id, row.server)
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
