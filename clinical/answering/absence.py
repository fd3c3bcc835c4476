"""Proof of absence: what was searched, how far the feeds had come, and what could not be read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Max, Min
from django.utils.module_loading import import_string

from clinical.answering.events import Absence
from clinical.models import Feed, IndexChange, PassageRow, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from clinical.domain.access import AccessGrant

NOTE: Final = (
    "Not documented in the records held here. Records restricted by their security labels are not searched, "
    "for any role."
)


def prove(grant: AccessGrant) -> Absence:
    """Count what stands in the granted patient's current record and what is held back from it."""
    versions = ResourceVersion.objects.filter(patient_id=grant.patient_id, is_current=True, deleted=False)
    if grant.hidden_labels:
        versions = versions.filter(restricted=False)
    dated = versions.exclude(effective="").aggregate(first=Min("effective"), last=Max("effective"))
    watermark = Feed.objects.aggregate(last=Max("last_message_at"))["last"]
    held_back: Callable[[], tuple[int, int]] = import_string(settings.CLINICAL_HELD_BACK)
    unassigned, unreadable = held_back()
    return Absence(
        searched=dict(sorted(Counter(versions.values_list("resource_type", flat=True)).items())),
        passages=PassageRow.objects.filter(version__in=versions).count(),
        first=(dated["first"] or "")[:10],
        last=(dated["last"] or "")[:10],
        watermark=watermark.isoformat(timespec="seconds") if watermark else "",
        unreadable=unreadable,
        unassigned=unassigned,
        unapplied=IndexChange.objects.count(),
        note=NOTE,
    )
