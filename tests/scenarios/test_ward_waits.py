"""An open ward page waits for the record: it is answered when something came, and holds no door's threads for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.test import Client

from clinical.record import news
from clinical.web import ward as ward_pages
from tests.cds_client import ago
from tests.factories import bundle, clinician, patient, take_in
from tests.scenarios.test_cds_ward import look, vitals

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def _care_team(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]
    monkeypatch.setattr(news, "_newest", (0.0, 0))
    monkeypatch.setattr(ward_pages, "LONGEST_WAIT_S", 0.3)


def logged_in() -> Client:
    client = Client()
    client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")
    return client


class Looks:
    """Counts looks; finds something from the given one on."""

    def __init__(self, finds_at: int) -> None:
        self.made, self._finds_at = 0, finds_at

    def __call__(self) -> str | None:
        self.made += 1
        return "found" if self.made >= self._finds_at else None


def test_what_is_there_already_is_not_waited_for() -> None:
    begun = time.monotonic()
    assert news.wait_for(Looks(1), wait_s=30) == "found"
    assert time.monotonic() - begun < 1


def test_a_new_version_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = iter([5, 5, 5])
    monkeypatch.setattr(news, "newest_version", lambda: next(versions, 6))
    looks = Looks(2)
    begun = time.monotonic()
    assert news.wait_for(looks, wait_s=30) == "found"
    assert time.monotonic() - begun < 1


def test_nothing_new_is_answered_after_the_wait_and_looked_for_once() -> None:
    looks = Looks(99)
    assert news.wait_for(looks, wait_s=0.2) is None
    assert looks.made == 1


def test_an_ingest_of_other_patients_turns_into_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "newest_version", iter(range(10_000)).__next__)
    looks = Looks(99)
    assert news.wait_for(looks, wait_s=0.6) is None
    assert looks.made <= 6


def test_a_door_whose_places_are_taken_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "_places", threading.BoundedSemaphore(1))
    assert news._places.acquire(blocking=False)
    begun = time.monotonic()
    assert news.wait_for(Looks(99), wait_s=30) is None
    assert time.monotonic() - begun < 1


def test_the_page_asks_to_wait_and_gets_the_rows_or_204() -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=20))))
    client = logged_in()
    assert "wait=1" in client.get("/ward/").content.decode()
    before = look()
    assert client.get(f"/ward/rows?since={before.state}&wait=1").status_code == 204
    take_in(bundle(*vitals(ago(minutes=1), _8867_4=72)))
    reply = client.get(f"/ward/rows?since={before.state}&wait=1")
    assert (reply.status_code, "NEWS2 7" in reply.content.decode()) == (200, True)
    assert client.session["ward"]


def test_who_logged_out_meanwhile_is_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=20))))
    client = logged_in()

    def leave(find: Any, *, wait_s: float) -> Any:
        client.session.flush()
        return find()

    monkeypatch.setattr(ward_pages, "wait_for", leave)
    reply = client.get("/ward/rows?since=0&wait=1")
    assert (reply.status_code, reply.content) == (204, b"")
