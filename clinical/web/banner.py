"""Who the page is about, on every page about a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.utils import timezone

from clinical.models import Patient
from clinical.record.consent import is_closed
from clinical.selectors import chart_of, patient_line

if TYPE_CHECKING:
    from uuid import UUID

    from clinical.domain.access import AccessGrant
    from clinical.domain.chart import Chart
    from clinical.selectors import PatientLine


class Identity(TypedDict):
    """The part of a template's context that names the patient."""

    patient_id: UUID
    who: PatientLine
    chart: Chart
    code_status: str
    closed: bool


def identity(grant: AccessGrant) -> Identity:
    """Return what the patient banner needs."""
    chart = chart_of(grant, today=timezone.localdate())
    return {
        "patient_id": grant.patient_id,
        "closed": is_closed(grant.patient_id, now=timezone.now()),
        "who": patient_line(Patient.objects.get(id=grant.patient_id)),
        "chart": chart,
        "code_status": chart.banner.code_status.text.replace("Code status: ", ""),  # the label says it
    }
