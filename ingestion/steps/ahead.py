"""What a group of messages would ask of the record patient by patient, asked once for all of them.

Only the answer "there is nothing" is taken from here, and who a patient is; everything else is asked for as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.demographics import demographics_of
from clinical.models import ResourceVersion
from clinical.record.consent import CONSENT, NO_RULES
from clinical.record.selectors import resource_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from clinical.domain.demographics import Demographics
    from ingestion.steps.owner import Held


def ask_ahead(held: Held, patients: Collection[UUID], servers: Collection[str]) -> None:
    """Note of these patients whose record is not closed or withdrawn, and how they are described.

    Args:
        held: of the group; nothing of it is written before the group is.
        patients: opaque ids.
        servers: those that the group's resources come from.
    """
    rows = ResourceVersion.objects.filter(patient_id__in=patients, resource_type__in=("Patient", CONSENT))
    consenting = set(rows.filter(resource_type=CONSENT).values_list("patient_id", flat=True))
    described: dict[UUID, Demographics | None] = dict.fromkeys(patients)
    deleted: set[UUID] = set()
    current = rows.filter(resource_type="Patient", is_current=True, patient__data_key__destroyed_at=None)
    for row in current.select_related("patient__data_key").order_by("pk"):
        if row.patient_id is None:
            continue
        if row.deleted:
            deleted.add(row.patient_id)
        elif described[row.patient_id] is None:
            described[row.patient_id] = demographics_of(resource_of(row))
    held.described |= described
    held.consents |= {one: NO_RULES for one in patients if one not in consenting}
    held.withdrawn |= {(one, server): False for one in patients if one not in deleted for server in servers}
