"""The ward: the user's patients with their newest NEWS2, derived from the record when it is looked at.

Nothing is queued or kept for it, so that nothing can be lost: a vital sign that the record holds is in the next look,
whichever door it came by. Rows are remembered for a minute as long as a patient's facts are the same.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max, Sum

from clinical.access.alarm_policy import alarms_on
from clinical.access.services import patients_open_to, record_read, roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, AccessRequest, Purpose, Role, authorise
from clinical.domain.cds.vitals import vitals_report
from clinical.keys import KeyDestroyedError
from clinical.knowledge.approvals import trust
from clinical.models import FactRow, Patient
from clinical.record.selectors import facts_of
from clinical.selectors import patient_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.contrib.auth.models import User

    from clinical.domain.access import AccessGrant
    from clinical.domain.cds.vitals import VitalsReport
    from clinical.domain.provenance import Trust
    from clinical.selectors import PatientLine

MOST_PATIENTS: Final = 100
REMEMBERED_S: Final = 60.0
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
Stamp = str  # count, greatest and sum of a patient's fact numbers: what no insertion or deletion leaves alike


@dataclass(frozen=True, slots=True)
class WardRow:
    """One patient of the ward."""

    who: PatientLine
    report: VitalsReport


@dataclass(frozen=True, slots=True)
class Ward:
    """The rows, newest vital signs first; `more` patients are left out.

    `state` changes with the facts of any of these patients; `stamps` say which facts of whom were shown.
    """

    rows: tuple[WardRow, ...]
    state: str
    stamps: Mapping[str, Stamp]
    more: int
    alarms: bool


_remembered: dict[tuple[UUID, frozenset[str]], tuple[float, Stamp, Trust, WardRow]] = {}


def ward_of(user: User, *, since: str, shown: Mapping[str, Stamp], now: datetime) -> Ward | None:
    """Return the ward of a user, or None when nothing of his patients has changed.

    Access is decided for each patient. The trail gets a row for each patient whose data is new to this session: all of
    them at first, later those whose facts have changed.

    Args:
        user: who looks.
        since: `state` of the ward shown last, "" for none.
        shown: `stamps` of what this session was shown before.
        now: timezone-aware; no vital sign after it is seen.

    Raises:
        AccessDeniedError: `no-clinical-role`; audited.
        django.db.Error: the trail cannot be written; nothing is shown.
    """
    user_id, roles = user.get_username(), roles_of(user)
    if Role.CLINICIAN not in roles:
        entry = trail.Entry("ward.view", "DENIED", user_id, detail={"reason": "no-clinical-role"})
        raise AccessDeniedError("no-clinical-role", trail.append(entry, now=now))
    stamps, newest = _stamps(patients_open_to(user))
    state = hashlib.sha256(repr(sorted(stamps.items())).encode()).hexdigest()[:32]
    if state == since:
        return None
    listed = sorted(stamps, key=lambda one: newest[one], reverse=True)[:MOST_PATIENTS]
    here, rows = trust(), []
    for patient in Patient.objects.filter(id__in=listed).select_related("data_key"):
        # That he is on the care team is why the patient is listed: the same decision, without asking again for each.
        asked = AccessRequest(user_id, roles, patient.id, Purpose.TREATMENT, frozenset({user_id}))
        grant = authorise(asked, now=now)
        if shown.get(str(patient.id)) != stamps[patient.id]:
            record_read(grant, action="ward.view", now=now)
        try:
            rows.append(_row(grant, patient, stamps[patient.id], here, now))
        except KeyDestroyedError:  # erased while the list was made
            continue
    rows.sort(key=lambda row: (row.report.as_of_sort or _NEVER, row.who.family), reverse=True)
    seen = {str(patient): stamps[patient] for patient in listed}
    return Ward(tuple(rows), state, seen, len(stamps) - len(listed), alarms_on())


def _stamps(patients: set[UUID]) -> tuple[dict[UUID, Stamp], dict[UUID, int]]:
    """Return each patient's stamp and the number of his newest fact; patients without facts have none."""
    counted = FactRow.objects.filter(patient_id__in=patients).values_list("patient_id")
    found = list(counted.annotate(rows=Count("id"), newest=Max("id"), sum=Sum("id")))
    stamps = {patient: f"{rows}.{newest}.{total}" for patient, rows, newest, total in found}
    return stamps, {patient: newest for patient, _, newest, _ in found}


def _row(grant: AccessGrant, patient: Patient, stamp: Stamp, here: Trust, now: datetime) -> WardRow:
    at = time.monotonic()
    for old in [one for one, held in list(_remembered.items()) if at - held[0] > REMEMBERED_S]:
        _remembered.pop(old, None)
    if patient.data_key.destroyed_at is not None:
        raise KeyDestroyedError
    key = (grant.patient_id, grant.hidden_labels)
    held = _remembered.get(key)
    if held is not None and held[1:3] == (stamp, here):
        return held[3]
    row = WardRow(patient_line(patient), vitals_report(facts_of(grant), now=now, trust=here))
    _remembered[key] = (at, stamp, here, row)
    return row
