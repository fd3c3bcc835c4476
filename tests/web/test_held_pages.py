"""The pages of held items, of conservation and of reconciliation: what each role sees and may do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from clinical.domain.access import Role
from clinical.models import AuditEvent, Feed, ResourceVersion
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.reconciliation.expected import Expected
from ingestion.reconciliation.services import reconcile
from tests.factories import bundle, observation, patient, take_in
from tests.web.conftest import make_user

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
BACKEND = "django.contrib.auth.backends.ModelBackend"
SECRET = "Quillfeather"  # stands in the original only


@pytest.fixture
def queue(clinic: Clinic, settings: Any) -> None:
    """One quarantined item, and two unassigned ones of a sender who is not known."""
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})
    broken = {"resourceType": "Observation", "id": "bad", "status": "final", "valueString": SECRET}
    take_in(bundle(observation("a", subject="x"), observation("b", subject="x", text=SECRET), broken))


def signed(client: Client, role: Role) -> Client:
    from django.contrib.auth.models import User

    user = User.objects.filter(username=role.value).first() or make_user(role)
    client.force_login(user, backend=BACKEND)
    return client


def unassigned() -> UnassignedItem:
    return UnassignedItem.objects.order_by("pk")[0]


def page(client: Client, name: str, *arguments: Any, **query: str) -> str:
    answer = client.get(reverse(name, args=arguments), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_reason_place_and_age_and_no_words(client: Client, queue: None) -> None:
    shown = page(signed(client, Role.OPERATOR), "held")

    for words in ("unknown-authority", "entry[0]", "entry[2]", "oldest", "Take in again", "days"):
        assert words in shown
    assert SECRET not in shown
    rows = {
        name: len(re.findall(r'<th scope="row"><a', page(client, "held", **query)))
        for name, query in (
            ("all", {}),
            ("reason", {"reason": "unknown-authority"}),
            ("queue", {"queue": "quarantined"}),
            ("job", {"job": "0"}),
            ("state", {"state": "dismissed"}),
        )
    }
    assert rows == {"all": 3, "reason": 2, "queue": 1, "job": 0, "state": 0}


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.OPERATOR, {"list", "dismiss"}),
        (Role.PRIVACY, {"list", "open", "dismiss"}),
        (Role.CLINICIAN, {"list", "open"}),
        (Role.LEAD, set()),
    ],
)
def test_each_role_has_its_part_and_a_refusal_is_on_the_trail(
    client: Client, queue: None, role: Role, sees: set[str]
) -> None:
    signed(client, role)
    number = unassigned().pk
    answers = {
        "list": client.get(reverse("held")),
        "open": client.post(reverse("held-original", args=["unassigned", number])),
        "dismiss": client.post(reverse("held-dismiss", args=["unassigned", number]), {"why": "duplicate"}),
    }

    assert {name for name, answer in answers.items() if answer.status_code in {200, 302}} == sees
    assert {answer.status_code for name, answer in answers.items() if name not in sees} <= {403}
    denied = AuditEvent.objects.filter(outcome="DENIED", user_id=role.value).count()
    assert denied == len(answers) - len(sees)


def test_opening_the_original_marks_the_item_is_audited_and_is_kept_by_no_browser(client: Client, queue: None) -> None:
    signed(client, Role.PRIVACY)
    number = UnassignedItem.objects.order_by("pk")[1].pk
    assert SECRET not in page(client, "held-item", "unassigned", number)

    answer = client.post(reverse("held-original", args=["unassigned", number]), HTTP_HX_REQUEST="true")

    shown = answer.content.decode()
    marked = re.search(r"<mark>(.*?)</mark>", shown, re.DOTALL)
    assert marked
    assert SECRET in marked[1]
    assert "&quot;id&quot;: &quot;b&quot;" in marked[1]
    assert "&quot;id&quot;: &quot;a&quot;" not in marked[1]
    assert answer["Cache-Control"] == "no-store"
    assert "<html" not in shown
    look = AuditEvent.objects.get(action="held.open")
    assert (look.outcome, look.detail["item"]) == ("SUCCESS", number)
    assert SECRET not in json.dumps(look.detail)


def test_from_finding_the_patient_to_the_record_and_back(client: Client, clinic: Clinic, queue: None) -> None:
    signed(client, Role.CLINICIAN)
    number = unassigned().pk
    found = client.post(reverse("held-find", args=[number]), {"q": "brennan"}).content.decode()
    assert f'value="{clinic.full}"' in found
    assert str(clinic.closed) not in found
    assert "All 2 that name the same patient" in found

    answer = client.post(
        reverse("held-assign", args=[number]),
        {"patient": clinic.full, "scope": "reference", "why": "asked-the-ward"},
    )
    assert answer.status_code == 302
    assert ResourceVersion.objects.filter(patient_id=clinic.full, logical_id__in="ab", is_current=True).count() == 2
    shown = page(client, "held-item", "unassigned", number)
    assert "Assigned" in shown
    assert str(clinic.full) in shown

    client.post(reverse("held-undo", args=[number]), {"why": "wrong-patient"})
    assert unassigned().resolved_at is None
    assert ResourceVersion.objects.filter(patient_id=clinic.full, logical_id="a", is_current=True).count() == 0


def test_a_patient_of_another_team_is_refused(client: Client, clinic: Clinic, queue: None) -> None:
    signed(client, Role.CLINICIAN)

    answer = client.post(
        reverse("held-assign", args=[unassigned().pk]), {"patient": clinic.closed, "why": "asked-the-ward"}
    )

    assert answer.status_code == 403
    assert unassigned().resolved_at is None


@pytest.mark.parametrize(
    "sent", [{}, {"patient": "not-an-id"}, {"patient": "", "why": "asked-the-ward"}, {"why": "x", "patient": "FULL"}]
)
def test_an_incomplete_decision_says_what_is_missing_and_changes_nothing(
    client: Client, clinic: Clinic, queue: None, sent: dict[str, str]
) -> None:
    signed(client, Role.CLINICIAN)
    given = {name: str(clinic.full) if value == "FULL" else value for name, value in sent.items()}

    answer = client.post(reverse("held-assign", args=[unassigned().pk]), given)

    assert answer.status_code == 409
    assert 'role="alert"' in answer.content.decode()
    assert unassigned().resolved_at is None


def test_the_operator_replays_one_a_reason_or_all(client: Client, queue: None) -> None:
    signed(client, Role.OPERATOR)
    before = IngestJob.objects.count()

    assert client.post(reverse("held-replay"), {"queue": "quarantined"}).status_code == 302
    assert IngestJob.objects.count() == before + 1
    again = client.post(reverse("held-replay"), {"reason": "unknown-authority"})
    assert again.status_code == 409  # the same file waits already
    assert IngestJob.objects.count() == before + 1


def test_a_corrected_text_that_is_wrong_again_is_refused_with_the_reason(client: Client, queue: None) -> None:
    signed(client, Role.OPERATOR)
    item = QuarantinedItem.objects.get()
    url = reverse("held-correct", args=[item.pk])

    assert client.post(url, {"text": "{"}).status_code == 409
    assert client.post(url, {"text": json.dumps(observation("bad"))}).status_code == 302
    item.refresh_from_db()
    assert item.resolution == "replaced"


def test_what_is_not_there_is_404_and_what_only_changes_is_no_get(client: Client, queue: None) -> None:
    signed(client, Role.PRIVACY)

    assert client.get(reverse("held-item", args=["unassigned", 10**12])).status_code == 404
    assert client.get(reverse("held-item", args=["elsewhere", 1])).status_code == 404
    assert client.get(reverse("held-replay")).status_code == 405
    assert client.get(reverse("held"), {"first": "9" * 40, "job": "x", "queue": "<b>"}).status_code == 200


def test_the_conservation_page_says_whether_it_holds(client: Client, queue: None) -> None:
    signed(client, Role.OPERATOR)
    assert "It holds" in page(client, "conservation")

    IngestJob.objects.filter(unassigned__gt=0).update(stored=7)
    shown = page(client, "conservation")
    assert "It does not hold" in shown
    assert "counted-twice" in shown


def test_the_reconciliation_page_names_differences_by_opaque_id(client: Client, clinic: Clinic) -> None:
    expected = [Expected("web-orla", "Observation", 5000, 1), Expected("nobody-known", "Condition", 2, 2)]
    reconcile(expected, source="csv", server=None, by="operator", now=timezone.now())

    shown = page(signed(client, Role.OPERATOR), "reconciliation")
    assert str(clinic.full) in shown
    assert "Row 2" in shown
    assert "web-orla" not in shown
    assert "nobody-known" not in shown
    assert "Reconciliation" in page(client, "ingest")


@pytest.mark.parametrize("name", ["conservation", "reconciliation"])
def test_the_accounts_are_the_operators(client: Client, name: str) -> None:
    assert signed(client, Role.CLINICIAN).get(reverse(name)).status_code == 403


def test_every_page_says_when_each_feed_spoke_last_and_what_is_held_back(client: Client, queue: None) -> None:
    Feed.objects.create(name="mllp-lab", last_message_at=timezone.now())

    shown = page(signed(client, Role.CLINICIAN), "patients")

    foot = shown[shown.index("page-foot") :]
    assert "mllp-lab" in foot
    assert "2 not assigned, 1 in quarantine" in foot


def test_the_health_page_counts_what_waits_with_the_age_of_the_oldest(client: Client, queue: None) -> None:
    held = client.get("/readyz").json()["held"]

    assert (held["unassigned"], held["quarantined"]) == (2, 1)
    assert held["oldest_unassigned_s"] > 0
    assert set(held) == {"unassigned", "quarantined", "oldest_unassigned_s", "oldest_quarantined_s"}


def test_a_patient_resource_that_waits_gives_no_name_away(client: Client, clinic: Clinic, settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})
    take_in(bundle(patient("someone", name=[{"family": SECRET}])))

    assert SECRET not in page(signed(client, Role.OPERATOR), "held")
    assert SECRET not in page(client, "held-item", "unassigned", unassigned().pk)
