"""A small clinic for the pages: one full chart, one sparse, one bare, and one that stays closed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from clinical.domain.access import Role
from clinical.identity.services import find_by_fhir_id
from clinical.models import CareTeamMember
from ingestion.domain.items import ParseContext
from ingestion.files import take_in_files

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client

PASSWORD = "a long enough pass phrase"
CLINIC = Path(__file__).with_name("clinic.json")


@dataclass(frozen=True)
class Clinic:
    """Ids of the patients: `full`, `sparse` and `bare` are open to the clinician, `closed` is not."""

    full: UUID
    sparse: UUID
    bare: UUID
    closed: UUID


@pytest.fixture(autouse=True)
def _quick_passwords(settings: pytest.FixtureRequest) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]  # test speed
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["clinician"]  # type: ignore[attr-defined]  # the fixture's type is private


def make_user(role: Role) -> User:
    user = User.objects.create_user(username=role.value, password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def load_clinic() -> Clinic:
    """Take the clinic in by the ordinary pipeline."""
    report = take_in_files(
        [CLINIC],
        context=ParseContext(),
        limits=(2**24, 2**26),
        clock=timezone.now,
        progress=lambda *_: None,
    )
    assert report.quarantined == []
    assert report.unassigned == 0
    found = [find_by_fhir_id(f"web-{name}") for name in ("orla", "mateus", "bare", "closed")]
    full, sparse, bare, closed = [patient.id for patient in found if patient is not None]
    CareTeamMember.objects.filter(patient_id=closed).delete()
    return Clinic(full, sparse, bare, closed)


@pytest.fixture
def clinician() -> User:
    return make_user(Role.CLINICIAN)


@pytest.fixture
def clinic(clinician: User) -> Clinic:
    return load_clinic()


@pytest.fixture
def signed_in(client: Client, clinician: User) -> Client:
    client.force_login(clinician, backend="django.contrib.auth.backends.ModelBackend")
    return client
