"""What was done with cards, on a page: counts for those who run the site, words for the care team only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from clinical.models import AuditEvent, CareTeamMember
from tests import cds_client
from tests.cds_client import ago, hook
from tests.factories import bundle, clinician, observation, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])
COMMENT = "Sample was haemolysed"


@pytest.fixture(autouse=True)
def _overridden(machines: Machines, settings: Any) -> None:
    """One critical potassium, its card overridden with a reason and a comment; then the people's door."""
    from appliance import settings as own

    coded: list[dict[str, Any]] = [{"coding": [{"code": "HH"}]}]
    take_in(bundle(patient(), observation(value=6.9, when=ago(hours=1), interpretation=coded)))
    (card,) = machines.cards("patient-view", hook())
    why = {"reason": {"code": "record-wrong"}, "userComment": COMMENT}
    item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": ago(seconds=1), "overrideReason": why}
    assert machines.feedback("patient-view", item).status_code == 200
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "appliance.urls", own._PEOPLE


def page(user: User) -> tuple[int, str]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    reply = client.get("/cards/")
    return reply.status_code, reply.content.decode()


def test_the_care_team_reads_reason_and_comment_and_it_is_on_the_trail() -> None:
    status, shown = page(clinician())
    assert status == 200
    assert COMMENT in shown
    assert "record-wrong" in shown
    row = AuditEvent.objects.filter(action="cds.feedback-view").latest("seq")
    assert (row.user_id, row.patient_id != "") == ("demo-clinician", True)


def test_others_see_counts_and_no_words() -> None:
    CareTeamMember.objects.all().delete()
    operator = User.objects.create_user("operator")
    operator.groups.add(Group.objects.get_or_create(name="operator")[0])
    for user in (clinician(), operator):
        status, shown = page(user)
        assert (status, "record-wrong" in shown) == (200, True)
        assert COMMENT not in shown
        assert "EXAMPLE" not in shown


def test_a_user_without_a_role_is_refused() -> None:
    assert page(User.objects.create_user("visitor"))[0] == 403
    assert AuditEvent.objects.latest("seq").outcome == "DENIED"
