"""A patient who withdraws his consent takes his record out of the answers; when he gives it again it comes back.

What a Consent can say is read by `clinical.domain.consent`. His Patient and Consent resources stay in effect, so that
it can be seen why there is nothing else; history stays. What arrives meanwhile waits for a person. A denial with
conditions is not acted on: it is put on the trail, for the privacy officer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.audit import trail
from clinical.domain.consent import Stance, stance_of
from clinical.models import DeletionReceipt, ResourceVersion
from clinical.record.incoming import decode_resource
from clinical.record.selectors import content_of
from clinical.record.staleness import StaleReason
from clinical.record.withdrawal import take_out_of_effect

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.record.incoming import Prepared

CONSENT: Final = "Consent"
WITHDRAWN: Final = "consent-withdrawn"
_STAYS: Final = ("Patient", CONSENT)


def is_closed(patient_id: UUID) -> bool:
    """Return whether the Consents held of a patient close his record.

    One that denies closes it, whatever others say. One that has ended, having permitted before, closes it unless
    another one permits.
    """
    rows = ResourceVersion.objects.filter(patient_id=patient_id, resource_type=CONSENT).order_by("number")
    if not rows.exists():
        return False
    permitted: set[tuple[str, str]] = set()
    standing: list[tuple[tuple[str, str], Stance]] = []
    for row in rows.select_related("patient__data_key"):
        stance = Stance.NOTHING if row.deleted else stance_of(decode_resource(content_of(row)))
        place = (row.server, row.logical_id)
        if stance is Stance.PERMITS:
            permitted.add(place)
        if row.is_current:
            standing.append((place, stance))
    stances = {stance for _, stance in standing}
    if Stance.DENIES in stances:
        return True
    ended = any(stance is Stance.ENDED and place in permitted for place, stance in standing)
    return ended and Stance.PERMITS not in stances


def close(patient_id: UUID, consent: Prepared, *, now: datetime) -> None:
    """Take everything but who the patient is, and his consents, out of effect; in the caller's transaction."""
    counts = take_record_out(patient_id, now=now)
    if not counts["versions"]:
        return
    DeletionReceipt.objects.create(
        kind=DeletionReceipt.Kind.RESOURCE,
        patient_id=patient_id,
        resource=f"{CONSENT}/{consent.incoming.logical_id}"[:200],
        reason=WITHDRAWN,
        user_id=f"feed:{consent.incoming.feed}"[:150],
        begun_at=now,
        finished_at=now,
        before=counts,
        after={"versions": 0, "facts": 0, "passages": 0},
    )


def take_record_out(patient_id: UUID, *, now: datetime) -> dict[str, int]:
    """Take out of effect what a withdrawn consent takes out; returns how many versions, facts and passages."""
    rows = ResourceVersion.objects.filter(patient_id=patient_id, is_current=True, deleted=False)
    chosen = list(rows.exclude(resource_type__in=_STAYS).defer("content"))
    return take_out_of_effect(chosen, reason=StaleReason.RESTRICTED, now=now)


def note_conditions(consent: Prepared, *, now: datetime) -> None:
    """Put a denial with conditions on the trail: it is kept, and nothing follows from it here."""
    patient = consent.incoming.patient
    detail = {"resource": f"{CONSENT}/{consent.incoming.logical_id}", "reason": "conditions-not-applied"}
    who = f"feed:{consent.incoming.feed}"
    entry = trail.Entry("consent.noted", "REFUSED", who, patient_id=str(patient.id) if patient else "", detail=detail)
    trail.append(entry, now=now)
