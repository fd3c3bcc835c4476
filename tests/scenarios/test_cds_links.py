"""A card's link: it opens once, for its user, for ten minutes, and the chart has the question typed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from clinical.access.handles import LIFETIME, HandleError, open_handle
from clinical.models import AuditEvent, CareTeamMember, Handle
from tests import cds_client
from tests.cds_client import ago, hook
from tests.factories import bundle, clinician, observation, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def link(machines: Machines) -> str:
    critical: dict[str, Any] = {"interpretation": [{"coding": [{"code": "HH"}]}]}
    take_in(bundle(patient(), observation(value=6.9, when=ago(hours=1), **critical)))
    (card,) = machines.cards("patient-view", hook())
    (only,) = card["links"]
    return str(only["url"])


@pytest.fixture
def people(settings: Any) -> Callable[[str], Client]:
    """A browser at the people's door, signed in as the user given, or as nobody."""
    from appliance import settings as own

    def browser(user: str) -> Client:
        settings.ROOT_URLCONF = "appliance.urls"
        settings.MIDDLEWARE = own._PEOPLE
        client = Client()
        if user:
            client.force_login(clinician(user), backend=BACKEND)
        return client

    return browser


def path_of(link: str) -> str:
    return link.removeprefix("https://people.internal")


def test_the_link_holds_nothing_of_the_patient(link: str) -> None:
    """No id, no name, no question: a token of 256 random bits."""
    handle = Handle.objects.get()
    token = link.rpartition("/")[2]
    assert len(token) == 43
    assert token != handle.digest
    assert str(handle.patient_id) not in link
    assert "otassium" not in link


def test_the_chart_opens_once_with_the_question_typed(link: str, people: Callable[[str], Client]) -> None:
    client = people("demo-clinician")
    page = client.get(path_of(link))
    assert page.status_code == 200
    assert "Latest Potassium and trend?</textarea>" in page.content.decode()
    again = client.get(path_of(link))
    assert (again.status_code, "used" in again.content.decode()) == (410, True)
    rows = AuditEvent.objects.filter(action="handle.open").order_by("seq")
    assert [(row.outcome, row.detail.get("reason")) for row in rows] == [("SUCCESS", None), ("DENIED", "used")]


def test_another_user_does_not_open_it_and_does_not_use_it_up(link: str, people: Callable[[str], Client]) -> None:
    assert people("somebody-else").get(path_of(link)).status_code == 410
    assert people("demo-clinician").get(path_of(link)).status_code == 200


def test_without_a_session_it_leads_to_the_log_in_and_is_not_used_up(
    link: str, people: Callable[[str], Client]
) -> None:
    page = people("").get(path_of(link))
    assert page.status_code == 200
    assert f"/login?next=%2Fopen%2F{link.rpartition('/')[2]}" in page.content.decode()
    assert Handle.objects.get().used_at is None


def test_access_is_decided_again_when_it_opens(link: str, people: Callable[[str], Client]) -> None:
    CareTeamMember.objects.all().delete()
    assert people("demo-clinician").get(path_of(link)).status_code == 403


def test_it_runs_out(link: str) -> None:
    token, now = link.rpartition("/")[2], timezone.now()
    assert timedelta(minutes=10) == LIFETIME
    with pytest.raises(HandleError, match="expired"):
        open_handle(token, "demo-clinician", now=now + LIFETIME)
    assert open_handle(token, "demo-clinician", now=now + LIFETIME - timedelta(seconds=30)).question


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 500, "%2e%2e"])
def test_an_invented_token_opens_nothing(token: str, people: Callable[[str], Client], machines: Machines) -> None:
    del machines
    page = people("demo-clinician").get(f"/open/{token}")
    assert (page.status_code, "unknown" in page.content.decode()) == (410, True)


def test_a_request_that_only_looks_does_not_use_it_up(link: str, people: Callable[[str], Client]) -> None:
    client = people("demo-clinician")
    assert client.head(path_of(link)).status_code == 405
    assert client.get(path_of(link)).status_code == 200


def test_the_stored_question_is_encrypted(link: str) -> None:
    assert link
    assert b"otassium" not in bytes(Handle.objects.get().question)
