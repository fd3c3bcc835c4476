"""A patient who withdraws his consent takes his record out of the answers; when he gives it again it comes back.

What a Consent can say is read by `clinical.domain.consent`; its rules, for some data, times, uses or persons, by
`clinical.domain.consent_rules`. His Patient and Consent resources stay in effect, so that it can be seen why there is
nothing else; history stays. What arrives meanwhile waits for a person. For a condition that cannot be told here a
denial is applied more widely than written, and a permission holds for nothing: this is put on the trail, for the
privacy officer, and said where an answer finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clinical.audit import trail
from clinical.domain.consent import Stance, root_of, stance_of
from clinical.domain.consent_rules import Denials, Permission, Rule, boundaries, denials_of, permission_of
from clinical.models import DeletionReceipt, ResourceVersion
from clinical.record.incoming import decode_resource
from clinical.record.selectors import content_of, resource_of
from clinical.record.staleness import StaleReason
from clinical.record.withdrawal import take_out_of_effect

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.record.incoming import Prepared

CONSENT: Final = "Consent"
WITHDRAWN: Final = "consent-withdrawn"
LIMITED: Final = "consent-limited"
_STAYS: Final = ("Patient", CONSENT)
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the Consents of a patient say at a moment. `untold`: how many denials apply more widely than written."""

    closed: bool = False
    denials: tuple[Rule, ...] = ()
    untold: int = 0

    def withhold(self, resource: dict[str, Any]) -> bool:
        """Return whether a resource of the patient is out of the answers."""
        if resource.get("resourceType") in _STAYS:
            return False
        return self.closed or any(one.covers(resource) for one in self.denials)


NO_RULES: Final = Rules()


def rules_of(patient_id: UUID, *, now: datetime) -> Rules:
    """Return what the Consents held of a patient say at `now` (timezone-aware).

    One that denies the whole record closes it, whatever others say. One that has ended, having permitted before,
    closes all that no other one permits.
    """
    rows = ResourceVersion.objects.filter(patient_id=patient_id, resource_type=CONSENT).order_by("number")
    if not rows.exists():
        return NO_RULES
    permitted: set[Place] = set()
    standing: list[tuple[Place, Stance]] = []
    rules: list[Rule] = []
    permissions: list[Permission] = []
    for row in rows.select_related("patient__data_key"):
        resource = {} if row.deleted else decode_resource(content_of(row))
        place, permission = (row.server, row.logical_id), _permission(resource)
        if permission.given:
            permitted.add(place)
        if row.is_current:
            standing.append((place, stance_of(resource)))
            rules += _denials(resource).rules
            permissions.append(permission)
    if any(stance is Stance.ENDED and place in permitted for place, stance in standing):
        others = tuple(one.rule for one in permissions if one.rule is not None)
        rules.append(Rule(exceptions=others, wider=any(one.void for one in permissions)))
    in_force = tuple(one for one in (rule.at(now) for rule in rules) if one is not None)
    closed = any(stance is Stance.DENIES for _, stance in standing) or any(one.is_whole for one in in_force)
    return Rules(closed, in_force, sum(one.wider for one in in_force))


def is_closed(patient_id: UUID, *, now: datetime) -> bool:
    """Return whether the Consents held of a patient close his record."""
    return rules_of(patient_id, now=now).closed


def moments_of(row: ResourceVersion) -> list[datetime]:
    """Return the moments at which a rule of a Consent begins to hold or no longer holds, timezone-aware.

    A rule without a beginning has the earliest moment there is, so that a worker that has just begun looks at it: a
    former release may have read it otherwise. A permission of everything for ever has none.
    """
    resource = resource_of(row)
    permission = _permission(resource)
    limited = [permission.rule or Rule()] if permission.given and permission.rule != Rule() else []
    return list(boundaries([*_denials(resource).rules, *limited]))


def _denials(resource: dict[str, Any]) -> Denials:
    if stance_of(resource) is not Stance.CONDITIONAL:
        return Denials()
    return denials_of(root_of(resource))


def _permission(resource: dict[str, Any]) -> Permission:
    if stance_of(resource) not in {Stance.CONDITIONAL, Stance.PERMITS}:
        return Permission()
    return permission_of(root_of(resource))


def close(patient_id: UUID, consent: Prepared, *, now: datetime) -> None:
    """Take everything but who the patient is, and his consents, out of effect; in the caller's transaction."""
    counts = take_record_out(patient_id, now=now)
    if not counts["versions"]:
        return
    reference = f"{CONSENT}/{consent.incoming.logical_id}"
    _receipt(patient_id, reference, WITHDRAWN, counts, by=consent.incoming.feed, now=now)


def take_record_out(patient_id: UUID, *, now: datetime) -> dict[str, int]:
    """Take out of effect what a withdrawn consent takes out; returns how many versions, facts and passages."""
    return take_out_of_effect(_in_effect(patient_id), reason=StaleReason.RESTRICTED, now=now)


def limit(patient_id: UUID, rules: Rules, *, by: str, now: datetime) -> None:
    """Take out of effect what the rules withhold, with a receipt for each resource; in the caller's transaction."""
    for row in _in_effect(patient_id) if rules.denials else ():
        if rules.withhold(resource_of(row)):
            counts = take_out_of_effect([row], reason=StaleReason.RESTRICTED, now=now)
            _receipt(patient_id, row.reference, LIMITED, counts, by=by, now=now)


def take_resource_out(patient_id: UUID, reference: str, *, before: datetime, now: datetime) -> None:
    """Take one resource out of effect that a consent had withheld at `before`, when a backup has brought it back."""
    rows = [row for row in _in_effect(patient_id) if row.reference == reference and row.stored_at < before]
    take_out_of_effect(rows, reason=StaleReason.RESTRICTED, now=now)


def note_conditions(consent: Prepared, *, now: datetime) -> None:
    """Put a Consent on the trail with a condition that cannot be told here, and what follows from it."""
    resource = decode_resource(consent.incoming.content)
    if _denials(resource).untold:
        reason = "denial-applied-more-widely"
    elif _permission(resource).void:
        reason = "permission-not-applied"
    else:
        return
    patient = consent.incoming.patient
    detail = {"resource": f"{CONSENT}/{consent.incoming.logical_id}", "reason": reason}
    who = f"feed:{consent.incoming.feed}"
    entry = trail.Entry("consent.noted", "REFUSED", who, patient_id=str(patient.id) if patient else "", detail=detail)
    trail.append(entry, now=now)


def _in_effect(patient_id: UUID) -> list[ResourceVersion]:
    rows = ResourceVersion.objects.filter(patient_id=patient_id, is_current=True, deleted=False)
    return list(rows.exclude(resource_type__in=_STAYS).select_related("patient__data_key"))


def _receipt(patient_id: UUID, resource: str, reason: str, counts: dict[str, int], *, by: str, now: datetime) -> None:
    DeletionReceipt.objects.create(
        kind=DeletionReceipt.Kind.RESOURCE,
        patient_id=patient_id,
        resource=resource[:200],
        reason=reason,
        user_id=f"feed:{by}"[:150],
        begun_at=now,
        finished_at=now,
        before=counts,
        after={"versions": 0, "facts": 0, "passages": 0},
    )
