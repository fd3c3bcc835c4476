"""Makes records, users and files by the same way the product does."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group, User

from clinical.record.index_changes import apply_due
from ingestion import pipeline
from ingestion.domain.items import ParseContext
from ingestion.models import IngestJob
from ingestion.receive import receive

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = (1 << 20, 1 << 26)


def noon() -> datetime:
    return NOON


def clinician(name: str = "demo-clinician") -> User:
    user, _ = User.objects.get_or_create(username=name)
    user.groups.add(Group.objects.get_or_create(name="clinician")[0])
    return user


def take_in(content: bytes | dict[str, Any], *, patient: str = "", name: str = "file", index: bool = True) -> IngestJob:
    """Take in one file as the command does and bring the index up to it."""
    data = json.dumps(content).encode() if isinstance(content, dict) else content
    context = ParseContext(patient_reference=f"Patient/{patient}" if patient else "")
    job = receive(io.BytesIO(data), name=name, feed="files", context=context, now=NOON, wake=False)
    job = pipeline.run(job.pk, limits=LIMITS, clock=noon)
    while index and apply_due(now=NOON):
        pass
    return job


def patient(logical_id: str = "amina", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": logical_id,
        "name": [{"family": "Example", "given": [logical_id.title()]}],
        "gender": "female",
        "birthDate": "1961-04-02",
        **more,
    }


def observation(
    logical_id: str = "k1",
    *,
    subject: str = "amina",
    value: float = 4.1,
    unit: str = "mmol/L",
    when: str = "2026-02-01",
    loinc: str = "2823-3",
    text: str = "Potassium [Moles/volume] in Serum or Plasma",
    **more: Any,
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": logical_id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc, "display": text}], "text": text},
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        **more,
    }


def note(text: str, *, logical_id: str = "note-1", subject: str = "amina", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": logical_id,
        "status": "current",
        "type": {"text": "Progress note"},
        "subject": {"reference": f"Patient/{subject}"},
        "date": "2026-02-10T09:00:00Z",
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": base64.b64encode(text.encode()).decode(),
                }
            }
        ],
        **more,
    }


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}
