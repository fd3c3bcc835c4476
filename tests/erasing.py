"""Erases a patient in a test as the command does, and reads what others have byte for byte."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, User
from django.core.management import call_command

from clinical.identity.services import find_by_fhir_id
from clinical.models import (
    AnswerCitation,
    CareTeamMember,
    FactRow,
    PassageRow,
    PassageVector,
    Patient,
    PatientIdentifier,
    PatientSearchTerm,
    Question,
    ResourceVersion,
)
from ingestion.erasure.services import Erasing, erase
from tests.factories import noon

if TYPE_CHECKING:
    from clinical.models import DeletionReceipt


def officer() -> User:
    user, _ = User.objects.get_or_create(username="demo-privacy")
    user.groups.add(Group.objects.get_or_create(name="privacy")[0])
    return user


def by(user: User | None = None, *, wait_s: float = 0.0) -> Erasing:
    return Erasing(user=user or officer(), acting="os:test", clock=noon, wait_s=wait_s, progress=lambda _: None)


def erased(logical_id: str, reason: str = "consent withdrawn") -> DeletionReceipt:
    return erase(held(logical_id), reason=reason, by=by())


def held(logical_id: str) -> Patient:
    found = find_by_fhir_id(logical_id)
    assert found is not None
    return found


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("erase", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows_of(patient: Patient) -> dict[str, str]:
    """Return a digest of everything a patient has in each table, but for the name of the file it came in."""
    tables: dict[str, Any] = {
        "patient": Patient.objects.filter(id=patient.id),
        "identifiers": PatientIdentifier.objects.filter(patient=patient),
        "terms": PatientSearchTerm.objects.filter(patient=patient),
        "team": CareTeamMember.objects.filter(patient=patient),
        "versions": ResourceVersion.objects.filter(patient=patient),
        "facts": FactRow.objects.filter(patient=patient),
        "passages": PassageRow.objects.filter(patient=patient),
        "vectors": PassageVector.objects.filter(patient=patient),
        "questions": Question.objects.filter(patient=patient),
        "citations": AnswerCitation.objects.filter(answer__question__patient=patient),
    }
    found = {}
    for name, rows in tables.items():
        digest = hashlib.sha256()
        for row in rows.order_by("pk").values():
            row.pop("original_sha256", None)
            digest.update(repr([(k, bytes(v) if isinstance(v, memoryview) else v) for k, v in row.items()]).encode())
        found[name] = f"{rows.count()} {digest.hexdigest()}"
    return found
