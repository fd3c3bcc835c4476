"""An R4 notification without payload leads to a search for what has changed, over all its pages.

Source: HL7 FHIR R4 4.0.1, Subscription ("a server may send an empty notification; the client fetches what has
changed": channel.payload omitted), Search (_lastUpdated) and Bundle.link (next).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.utils import timezone

from clinical.models import ResourceVersion
from clinical.ports import BackendUnavailableError
from ingestion import pipeline, tasks
from ingestion.models import IngestJob, Subscription
from ingestion.subscriptions import catch_up as catching_up
from ingestion.subscriptions.catch_up import CaughtUp, catch_up, catch_up_all, servers_to_rest
from ingestion.subscriptions.receiver import heard_nothing_but_a_change, seal_secret
from tests.factories import LIMITS, noon, observation, patient

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
SERVER = "http://ehr.local/r4"
SINCE = "_lastUpdated=ge2026-03-01T10:00:00Z&_count=200"
FIRST = f"Observation?category=laboratory&{SINCE}"
BEGUN = datetime(2026, 3, 1, 11, tzinfo=UTC)


class ScriptedEhr:
    """Answers by path; 404 for any other."""

    def __init__(self, **pages: Any) -> None:
        self.pages: dict[str, Any] = pages
        self.asked: list[str] = []

    def read(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self.pages:
            raise LookupError(404)
        if isinstance(self.pages[path], Exception):
            raise self.pages[path]
        return json.dumps(self.pages[path]).encode()


def searched(*resources: dict[str, Any], following: str = "") -> dict[str, Any]:
    entries = [{"fullUrl": f"{SERVER}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    links = {"link": [{"relation": "next", "url": following}]} if following else {}
    return {"resourceType": "Bundle", "type": "searchset", **links, "entry": entries}


@pytest.fixture
def row() -> Subscription:
    made = Subscription.objects.create(
        name="ehr", kind=Subscription.Kind.R4, header="X-Secret", secret=seal_secret("ehr", "x" * 20), server=SERVER,
        reference="Subscription/s1", created_at=BEGUN,
    )  # fmt: skip
    heard_nothing_but_a_change(made, now=BEGUN)
    made.refresh_from_db()
    return made


@pytest.fixture
def ehr() -> ScriptedEhr:
    criteria = {"resourceType": "Subscription", "id": "s1", "criteria": "Observation?category=laboratory"}
    first = searched(observation("k1"), following=f"{SERVER}/Observation?page=2")
    second = searched(observation("k2"), patient())
    return ScriptedEhr(**{"Subscription/s1": criteria, FIRST: first, "Observation?page=2": second})


@pytest.fixture(autouse=True)
def _no_rests() -> Iterator[None]:
    catching_up._resting.clear()
    yield
    catching_up._resting.clear()


def is_due() -> bool:
    return Subscription.objects.get().pull_due_since is not None


def test_the_changed_resources_of_all_pages_are_taken_in(row: Subscription, ehr: ScriptedEhr) -> None:
    assert catch_up(row, ehr, clock=noon) == CaughtUp(fetched=3, gone=0, left=0)

    for job in IngestJob.objects.order_by("pk"):
        pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    held = ResourceVersion.objects.values_list("server", "logical_id", "feed")
    assert set(held) == {(SERVER, one, "subscription:ehr") for one in ("k1", "k2", "amina")}
    assert not is_due()


def test_the_next_search_begins_where_this_one_began(row: Subscription, ehr: ScriptedEhr) -> None:
    ehr.pages[FIRST] = searched()
    catch_up(row, ehr, clock=noon)
    ehr.pages["Observation?category=laboratory&_lastUpdated=ge2026-03-01T11:00:00Z&_count=200"] = searched()

    catch_up(row, ehr, clock=lambda: noon() + timedelta(days=1))

    assert ehr.asked[-1].startswith("Observation?category=laboratory&_lastUpdated=ge2026-03-01T11:00")
    assert not IngestJob.objects.exists()


def test_a_notification_during_the_search_keeps_it_due(row: Subscription, ehr: ScriptedEhr) -> None:
    ehr.pages[FIRST] = searched()
    heard_nothing_but_a_change(row, now=noon() + timedelta(seconds=1))

    catch_up(row, ehr, clock=noon)

    assert is_due()


def test_a_subscription_is_found_by_this_boxs_endpoint(row: Subscription, ehr: ScriptedEhr) -> None:
    Subscription.objects.update(reference="")
    row.refresh_from_db()
    endpoint = quote(f"{settings.CLINICAL_MACHINES_URL}/fhir/subscription/ehr", safe="")
    ehr.pages[f"Subscription?url={endpoint}"] = searched(ehr.pages.pop("Subscription/s1"))
    ehr.pages[FIRST] = searched(observation())

    assert catch_up(row, ehr, clock=noon).fetched == 1

    assert Subscription.objects.get().reference == "Subscription/s1"


@pytest.mark.parametrize(
    "criteria", ["", "http://elsewhere.local/Observation", "../Observation", "Observation#a", "observation"]
)
def test_criteria_that_lead_elsewhere_are_not_followed(row: Subscription, ehr: ScriptedEhr, criteria: str) -> None:
    ehr.pages["Subscription/s1"]["criteria"] = criteria

    with pytest.raises(BackendUnavailableError, match="no-criteria"):
        catch_up(row, ehr, clock=noon)

    assert ehr.asked == ["Subscription/s1"]
    assert is_due()


def test_a_next_page_on_another_host_is_not_asked_for(row: Subscription, ehr: ScriptedEhr) -> None:
    ehr.pages[FIRST]["link"][0]["url"] = "http://elsewhere.local/r4/Observation?page=2"

    with pytest.raises(BackendUnavailableError, match="other-host"):
        catch_up(row, ehr, clock=noon)

    assert ehr.asked == ["Subscription/s1", FIRST]
    assert IngestJob.objects.count() == 1  # what came stays
    assert is_due()


def test_the_timer_fetches_and_lets_a_silent_server_rest(
    row: Subscription, ehr: ScriptedEhr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "ehr_for", lambda _server: ehr)
    criteria = ehr.pages.pop("Subscription/s1")
    ehr.pages["Subscription/s1"] = BackendUnavailableError("ehr", "ReadTimeout")
    tasks.catch_up()
    assert servers_to_rest() == {SERVER}
    tasks.catch_up()
    assert ehr.asked == ["Subscription/s1"]  # not asked again at once

    ehr.pages["Subscription/s1"] = criteria
    ehr.pages[FIRST] = searched(observation())
    assert catch_up_all(clock=timezone.now)["ehr"].startswith("fetched 1")
    assert not is_due()
