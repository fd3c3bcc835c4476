"""Empties a throwaway record between two evaluations; never used on one that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.keys import forget_keys
from clinical.models import (
    DataKey,
    Feed,
    GuidelineEdition,
    GuidelinePassageRow,
    IndexChange,
    PassageRow,
    Patient,
    ResourceVersion,
)
from clinical.ports import backends
from clinical.record import facts_held

if TYPE_CHECKING:
    from uuid import UUID


def wipe_record() -> None:
    """Remove every patient, version, passage and guideline from SQL and from the index."""
    passages: list[UUID] = list(PassageRow.objects.values_list("id", flat=True))
    guidelines: list[UUID] = list(GuidelinePassageRow.objects.values_list("id", flat=True))
    for model in (IndexChange, GuidelineEdition, ResourceVersion, Patient, DataKey, Feed):
        model.objects.all().delete()
    backends().index.delete_passages(passages)
    backends().index.delete_guidelines(guidelines)
    forget_keys()
    facts_held.forget()
