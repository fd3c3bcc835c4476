"""The ward: the user's patients with their newest NEWS2, derived from the record when it is looked at.

Nothing is queued or kept for it, so that nothing can be lost: a vital sign that the record holds is in the next look,
whichever door it came by. Reports are remembered for a minute as long as a patient's record has not grown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max

from clinical.access.alarm_policy import alarms_on
from clinical.access.services import grant_access, patients_open_to, record_read, roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.domain.cds.vitals import vitals_report
from clinical.keys import KeyDestroyedError
from clinical.knowledge.approvals import trust
from clinical.models import Patient, ResourceVersion
from clinical.record.selectors import facts_of
from clinical.selectors import patient_line

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

    from clinical.domain.access import AccessGrant
    from clinical.domain.cds.vitals import VitalsReport
    from clinical.domain.provenance import Trust
    from clinical.selectors import PatientLine

MOST_PATIENTS: Final = 100
REMEMBERED_S: Final = 60.0
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
Mark = tuple[int, int]  # versions of the patient, and the newest of them


@dataclass(frozen=True, slots=True)
class WardRow:
    """One patient of the ward."""

    who: PatientLine
    report: VitalsReport


@dataclass(frozen=True, slots=True)
class Ward:
    """The rows, newest vital signs first. `mark` grows with the record of any of these patients; `more` are left out."""

    rows: tuple[WardRow, ...]
    mark: int
    more: int
    alarms: bool


_remembered: dict[tuple[UUID, frozenset[str]], tuple[float, Mark, Trust, VitalsReport]] = {}


def ward_of(user: User, *, since: int, now: datetime) -> Ward | None:
    """Return the ward of a user, or None when nothing came for any of his patients after `since`.

    Access is decided for each patient. The trail gets a row for each patient whose data is new to the page: all of
    them at first (`since` 0), later those whose record has grown.

    Args:
        user: who looks.
        since: `mark` of the ward shown last, 0 for none.
        now: timezone-aware; no vital sign after it is seen.

    Raises:
        AccessDeniedError: `no-clinical-role`; audited.
        django.db.Error: the trail cannot be written; nothing is shown.
    """
    if Role.CLINICIAN not in roles_of(user):
        detail = {"reason": "no-clinical-role"}
        entry = trail.Entry("ward.view", "DENIED", user.get_username(), detail=detail)
        raise AccessDeniedError("no-clinical-role", trail.append(entry, now=now))
    marks = _marks(patients_open_to(user))
    newest = max((mark[1] for mark in marks.values()), default=0)
    if since and newest <= since:
        return None
    shown = sorted(marks, key=lambda one: marks[one][1], reverse=True)[:MOST_PATIENTS]
    rows = []
    for patient in Patient.objects.filter(id__in=shown).select_related("data_key"):
        grant = grant_access(user, patient.id, action="ward.view", now=now)
        if marks[patient.id][1] > since:
            record_read(grant, action="ward.view", now=now)
        try:
            rows.append(WardRow(patient_line(patient), _report(grant, marks[patient.id], now)))
        except KeyDestroyedError:  # erased while the list was made
            continue
    rows.sort(key=lambda row: (row.report.as_of_sort or _NEVER, row.who.family), reverse=True)
    return Ward(tuple(rows), newest, len(marks) - len(shown), alarms_on())


def _marks(patients: set[UUID]) -> dict[UUID, Mark]:
    found = (
        ResourceVersion.objects.filter(patient_id__in=patients)
        .values_list("patient_id")
        .annotate(versions=Count("id"), newest=Max("id"))
    )
    return {patient: (versions, newest) for patient, versions, newest in found if patient is not None}


def _report(grant: AccessGrant, mark: Mark, now: datetime) -> VitalsReport:
    here, at = trust(), time.monotonic()
    for old in [one for one, held in list(_remembered.items()) if at - held[0] > REMEMBERED_S]:
        _remembered.pop(old, None)
    key = (grant.patient_id, grant.hidden_labels)
    held = _remembered.get(key)
    if held is not None and held[1:3] == (mark, here):
        return held[3]
    report = vitals_report(facts_of(grant), now=now, trust=here)
    _remembered[key] = (at, mark, here, report)
    return report
