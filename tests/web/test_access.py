"""Who is kept out, what they are told, and that the trail knows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.urls import reverse

from clinical.domain.access import Role
from clinical.models import AuditEvent, Question
from tests.web.conftest import make_user

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def sign_in(client: Client, role: Role) -> Client:
    client.force_login(make_user(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    "path",
    ["/", "/audit/", "/ingest/", "/ingest/progress", f"/patients/{UUID(int=1)}/", f"/questions/{UUID(int=2)}/events"],
)
def test_nobody_gets_in_without_logging_in(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize(
    ("name", "extra", "action"),
    [
        ("chart", [], "chart.view"),
        ("source", ["Condition", "web-c4", "1"], "source.view"),
    ],
)
def test_a_patient_of_another_team_is_refused_with_a_reason_and_audited(
    signed_in: Client, clinic: Clinic, name: str, extra: list[str], action: str
) -> None:
    response = signed_in.get(reverse(name, args=[clinic.closed, *extra]))

    assert response.status_code == 403
    assert "not-in-care-team" in response.content.decode()
    assert "Brenner" not in response.content.decode()
    row = AuditEvent.objects.get(action=action)
    assert (row.outcome, row.user_id, row.patient_id) == ("DENIED", "clinician", str(clinic.closed))


def test_a_question_about_a_patient_of_another_team_is_refused(signed_in: Client, clinic: Clinic) -> None:
    response = signed_in.post(reverse("ask", args=[clinic.closed]), {"question": "any allergies?"})

    assert response.status_code == 403
    assert not Question.objects.exists()


def test_the_stream_decides_access_again(signed_in: Client, clinic: Clinic) -> None:
    signed_in.post(reverse("ask", args=[clinic.full]), {"question": "any allergies?"})
    question = Question.objects.get()
    question.patient.care_team.all().delete()

    response = signed_in.get(reverse("question-events", args=[question.id]))

    assert response.status_code == 403


def test_another_users_question_is_not_found(client: Client, signed_in: Client, clinic: Clinic) -> None:
    signed_in.post(reverse("ask", args=[clinic.full]), {"question": "any allergies?"})
    question = Question.objects.get()
    other = sign_in(client, Role.PRIVACY)

    assert other.get(reverse("question", args=[question.id])).status_code == 404
    assert other.get(reverse("question-events", args=[question.id])).status_code == 404


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.CLINICIAN, "audit", 403),
        (Role.CLINICIAN, "ingest", 403),
        (Role.OPERATOR, "audit", 403),
        (Role.PRIVACY, "ingest", 403),
        (Role.PRIVACY, "audit", 200),
        (Role.OPERATOR, "ingest", 200),
        (Role.OPERATOR, "ingest-progress", 200),
        (Role.OPERATOR, "patients", 200),
    ],
)
def test_each_page_opens_to_its_role(client: Client, role: Role, path: str, status: int) -> None:
    assert sign_in(client, role).get(reverse(path)).status_code == status


def test_a_chart_is_on_the_trail_before_it_is_shown(signed_in: Client, clinic: Clinic) -> None:
    signed_in.get(reverse("chart", args=[clinic.full]))

    row = AuditEvent.objects.get(action="chart.view")
    assert (row.outcome, row.patient_id) == ("SUCCESS", str(clinic.full))


def test_the_privacy_page_shows_ids_and_never_names(client: Client, clinic: Clinic) -> None:
    client.force_login(make_user(Role.PRIVACY), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("audit")).content.decode()

    assert "audit.view" in page
    assert "Brennan" not in page
