"""Logging in, failing to, and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from clinical.models import AuditEvent
from clinical.web.idle import IDLE_SECONDS
from tests.web.conftest import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def outcomes(action: str) -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action=action).order_by("seq").values_list("outcome", "user_id"))


def attempt(client: Client, name: str, password: str) -> int:
    return client.post(reverse("login"), {"username": name, "password": password}).status_code


def test_a_right_password_opens_the_patients_and_is_on_the_trail(client: Client, clinician: User) -> None:
    response = client.post(reverse("login"), {"username": "clinician", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == reverse("patients")
    assert outcomes("session.login") == [("SUCCESS", "clinician")]


def test_a_failure_is_on_the_trail_without_what_was_typed(client: Client, clinician: User) -> None:
    attempt(client, "clinician", "wrong")
    attempt(client, "my password typed as a name", "wrong")

    assert outcomes("session.login") == [("DENIED", "clinician"), ("DENIED", "")]


def test_too_many_failures_lock_with_a_page_that_says_so(client: Client, clinician: User) -> None:
    statuses = [attempt(client, "clinician", "wrong") for _ in range(8)]
    response = client.post(reverse("login"), {"username": "clinician", "password": PASSWORD})

    assert statuses[0] == 200
    assert statuses[-1] == response.status_code == 429
    assert "locked" in response.content.decode()


def test_logging_out_is_a_post_and_ends_the_session(signed_in: Client) -> None:
    assert signed_in.get(reverse("logout")).status_code == 405

    signed_in.post(reverse("logout"))

    assert signed_in.get(reverse("patients")).status_code == 302
    assert outcomes("session.logout") == [("SUCCESS", "clinician")]


def test_an_idle_session_ends(signed_in: Client) -> None:
    signed_in.get(reverse("patients"))
    session = signed_in.session
    session["last_seen"] -= IDLE_SECONDS + 1
    session.save()

    response = signed_in.get(reverse("patients"))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


def test_polling_does_not_keep_a_session_alive(signed_in: Client) -> None:
    signed_in.get(reverse("patients"))
    session = signed_in.session
    session["last_seen"] -= 60
    session.save()

    signed_in.get(reverse("ingest-progress"))

    assert signed_in.session["last_seen"] == session["last_seen"]
    signed_in.get(reverse("stay"))
    assert signed_in.session["last_seen"] > session["last_seen"]


@pytest.mark.parametrize("name", ["clinician\0", "x" * 5000])
def test_a_name_that_no_column_takes_is_refused_like_a_wrong_password(
    client: Client, clinician: User, name: str
) -> None:
    assert attempt(client, name, "wrong\0") == 200
    assert outcomes("session.login") == [("DENIED", "")]
