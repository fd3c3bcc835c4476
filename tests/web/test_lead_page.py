"""The clinical lead's page: the switch, and how the tables stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from clinical.answering.switches import drafting_allowed
from clinical.domain.access import Role
from clinical.models import AuditEvent, Switch
from tests.web.conftest import make_user

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(make_user(Role.LEAD))
    return client


def test_it_shows_the_switch_and_the_tables(lead: Client) -> None:
    page = lead.get(reverse("lead")).content.decode()

    assert "Drafting is on" in page
    assert "medication" in page.lower()
    assert "shown as unverified" in page


def test_drafting_is_turned_off_and_on_with_a_reason(lead: Client) -> None:
    reply = lead.post(reverse("lead"), {"turn": "off", "reason": "wrong summary seen"})

    assert reply.status_code == 302
    assert not drafting_allowed()
    assert "wrong summary seen" in lead.get(reverse("lead")).content.decode()

    lead.post(reverse("lead"), {"turn": "on", "reason": "looked into"})
    assert drafting_allowed()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_nothing_is_turned(lead: Client, reason: str) -> None:
    reply = lead.post(reverse("lead"), {"turn": "off", "reason": reason})

    assert reply.status_code == 400
    assert drafting_allowed()
    assert not Switch.objects.exists()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.OPERATOR, Role.PRIVACY])
def test_nobody_else_sees_or_turns_it(client: Client, role: Role) -> None:
    client.force_login(make_user(role))

    assert client.get(reverse("lead")).status_code == 403
    assert client.post(reverse("lead"), {"turn": "off", "reason": "no"}).status_code == 403
    assert drafting_allowed()
    assert AuditEvent.objects.filter(action="switch.drafting", outcome="DENIED").count() == 1
