"""What every hook call needs, made before the first one comes: tables read and compiled."""

from __future__ import annotations

from django.db import connections
from django.utils import timezone

from clinical.domain.cds.drafts import order_cards, read_drafts
from clinical.domain.cds.matters import matters
from clinical.knowledge.approvals import trust


def warm_up() -> None:
    """Answer for a patient nobody is, so that the first real call is as fast as the others.

    Raises:
        django.db.Error: the database cannot be read yet.
    """
    here, now = trust(), timezone.now()
    draft = {"resourceType": "MedicationRequest", "id": "0", "medicationCodeableConcept": {"text": "paracetamol"}}
    drafts = read_drafts([draft], {}, patient_id="0", selected=frozenset())
    order_cards([], drafts, selected=frozenset(), missing=(), today=now.date(), trust=here)
    matters([], now=now, trust=here)
    connections.close_all()
