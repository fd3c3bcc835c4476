"""A saved answer says so, wherever it shows, once what it rests on has changed or the record has grown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from clinical.access.services import grant_access
from clinical.answering import services, stored
from clinical.answering.events import AnswerStale, SentenceReady
from clinical.answering.selectors import recent_questions
from clinical.answering.staleness import stale_answer
from clinical.identity.services import find_by_fhir_id
from clinical.models import Answer, CareTeamMember, Patient, Question
from clinical.record.staleness import StaleReason, mark_patient
from clinical.web.idle import IDLE_SECONDS
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import StreamingHttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
POTASSIUM = "What is the latest potassium?"
ABSENT = "When was the last colonoscopy?"


@pytest.fixture(autouse=True)
def amina() -> UUID:
    clinician()
    take_in(bundle(patient(), observation(value=4.1), note("Seen today. She denies chest pain.")))
    found = find_by_fhir_id("amina")
    assert found is not None
    return found.id


def ask(question: str = POTASSIUM) -> Question:
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, question, clock=noon)
    list(services.events(asked.id, clinician(), clock=noon))
    return asked


def stale(question: Question) -> AnswerStale | None:
    return stale_answer(question.id, question.patient_id)


def deleted() -> dict[str, Any]:
    entry = {"request": {"method": "DELETE", "url": "Observation/k1"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def merged(kind: str = "replaced-by") -> dict[str, Any]:
    return patient(link=[{"other": {"reference": "Patient/other"}, "type": kind}])


CHANGES = [
    ("replaced", observation(value=4.2)),
    ("corrected", observation(value=4.2, status="corrected")),
    ("corrected", observation(value=4.2, status="amended")),
    ("entered-in-error", observation(value=4.1, status="entered-in-error")),
    ("deleted", deleted()),
    ("merged", merged()),
    ("merged", merged("replaces")),
]


class TestACitedRecord:
    def test_that_stays_as_it_is_leaves_the_answer_standing(self) -> None:
        asked = ask()
        take_in(bundle(patient(), observation(value=4.1)))

        assert stale(asked) is None

    @pytest.mark.parametrize(("reason", "change"), CHANGES)
    def test_that_changes_makes_the_answer_stale_and_says_how(self, reason: str, change: dict[str, Any]) -> None:
        asked = ask()
        assert stale(asked) is None

        take_in(change, index=False)

        assert stale(asked) == AnswerStale(reason, noon(), grave=True)

    def test_that_is_taken_back_by_the_document_s_own_status_is_answered_from_no_more(self) -> None:
        pain = "Does she have chest pain?"
        asked = ask(pain)
        assert Answer.objects.get().status == "answered"

        take_in(note("Seen today. She denies chest pain.", docStatus="entered-in-error"))

        assert stale(asked) == AnswerStale("entered-in-error", noon(), grave=True)
        assert Answer.objects.get(question=ask(pain)).status == "not_documented"

    def test_that_goes_through_several_versions_in_one_file_says_the_last(self) -> None:
        asked = ask()
        take_in(bundle(observation(value=4.2), observation(value=4.2, status="entered-in-error")))

        found = stale(asked)
        assert found is not None
        assert found.reason == "entered-in-error"

    def test_of_two_changes_the_graver_is_named_and_the_first_time_kept(self) -> None:
        asked = ask()
        take_in(observation(value=4.2))
        mark_patient(asked.patient_id, StaleReason.MERGED, now=noon() + timedelta(hours=1))
        mark_patient(asked.patient_id, StaleReason.REPLACED, now=noon() + timedelta(hours=2))

        assert stale(asked) == AnswerStale("merged", noon(), grave=True)

    def test_that_is_not_cited_does_not_count_as_changed(self) -> None:
        asked = ask()
        take_in(note("Seen today. She has chest pain."))

        found = stale(asked)
        assert found is not None
        assert (found.reason, found.grave) == ("newer-records", False)

    def test_that_changes_while_the_answer_is_made_is_noticed_when_it_is_saved(self) -> None:
        found = find_by_fhir_id("amina")
        assert found is not None
        asked = services.ask(clinician(), found.id, POTASSIUM, clock=noon)
        running = services.events(asked.id, clinician(), clock=noon)
        while not isinstance(next(running), SentenceReady):
            pass
        take_in(observation(value=6.9, status="corrected"))
        rest = list(running)

        assert AnswerStale("corrected", noon(), grave=True) in rest
        assert stale(asked) == AnswerStale("corrected", noon(), grave=True)

    def test_of_another_patient_changes_nothing(self) -> None:
        asked = ask()
        take_in(
            bundle(patient("bruno"), observation("k2", subject="bruno"), note("x", logical_id="b", subject="bruno"))
        )
        take_in(observation("k2", subject="bruno", value=9.9, status="corrected"))

        assert stale(asked) is None


class TestARecordThatHasGrown:
    def test_is_a_mild_notice_for_an_answer_and_a_grave_one_for_not_documented(self) -> None:
        answered, absent = ask(), ask(ABSENT)
        take_in(observation("k9", value=5.9, when="2026-02-20"))

        kinds = [(found.reason, found.grave) for found in map(stale, (answered, absent)) if found]
        assert kinds == [("newer-records", False), ("newer-records", True)]

    def test_is_noticed_when_it_grows_while_the_answer_is_made(self) -> None:
        found = find_by_fhir_id("amina")
        assert found is not None
        asked = services.ask(clinician(), found.id, ABSENT, clock=noon)
        running = services.events(asked.id, clinician(), clock=noon)
        next(running)
        take_in(note("Colonoscopy on 3 May 2024: normal.", logical_id="late"))
        list(running)

        assert stale(asked) is not None

    def test_an_answer_given_after_it_grew_stands(self) -> None:
        take_in(observation("k9", value=5.9, when="2026-02-20"))

        assert stale(ask()) is None

    def test_needs_no_decryption_and_one_count_for_all_answers(self, django_assert_num_queries: Any) -> None:
        asked = [ask(), ask(ABSENT)]
        take_in(observation("k9", value=5.9, when="2026-02-20"))
        grant = grant_access(clinician(), asked[0].patient_id, action="test", now=noon())

        with django_assert_num_queries(2):
            lines = recent_questions(grant)
        assert [line.stale.reason for line in lines if line.stale] == ["newer-records"] * 2

    def test_an_answer_from_before_this_was_counted_is_left_alone(self) -> None:
        asked = ask()
        Answer.objects.update(versions_read=None)
        take_in(observation("k9", value=5.9, when="2026-02-20"))

        assert stale(asked) is None


class TestWhereItShows:
    @pytest.fixture
    def browser(self, client: Client) -> Client:
        client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")
        return client

    def wire(self, browser: Client, asked: Question) -> str:
        response = cast("StreamingHttpResponse", browser.get(reverse("question-events", args=[asked.id])))
        return b"".join(cast("list[bytes]", response.streaming_content)).decode()

    def poll(self, browser: Client, asked: Question) -> tuple[int, str]:
        response = browser.get(reverse("question-staleness", args=[asked.id]), headers={"HX-Request": "true"})
        return response.status_code, response.content.decode()

    def test_on_the_chart_the_page_the_replayed_stream_and_in_json(self, browser: Client) -> None:
        asked = ask()
        take_in(observation(value=4.2, status="corrected"))

        chart = browser.get(reverse("chart", args=[asked.patient_id])).content.decode()
        page = browser.get(reverse("question", args=[asked.id])).content.decode()
        whole = browser.get(reverse("question", args=[asked.id]), {"whole": ""}).content.decode()
        wire = self.wire(browser, asked)
        again = stored.as_json(services.events(asked.id, clinician(), clock=noon))

        assert "A cited result was corrected since" in chart
        for html in (page, whole, wire):
            assert html.count("A result cited here has been corrected since this answer was given") == 1
        assert wire.index("event: stale") < wire.index("event: sentence")
        assert again["stale"] == {"reason": "corrected", "since": "2026-03-01T12:00:00+00:00", "grave": True}

    def test_a_fresh_answer_shows_no_notice_anywhere(self, browser: Client) -> None:
        asked = ask()

        assert self.poll(browser, asked) == (204, "")
        assert "event: stale" not in self.wire(browser, asked)
        assert stored.as_json(services.events(asked.id, clinician(), clock=noon))["stale"] is None

    def test_an_open_page_asks_every_few_seconds_and_learns_it(self, browser: Client) -> None:
        asked = ask()
        page = browser.get(reverse("question", args=[asked.id])).content.decode()
        assert f'hx-get="{reverse("question-staleness", args=[asked.id])}" hx-trigger="every 5s"' in page

        take_in(observation("k9", value=5.9, when="2026-02-20"))
        mild, words = self.poll(browser, asked)
        assert (mild, "Records of this patient have arrived since" in words) == (200, True)

        take_in(observation(value=4.2))
        grave, words = self.poll(browser, asked)
        assert (grave, "A record cited here has changed" in words) == (286, True)

    def test_an_open_page_of_an_erased_patient_learns_that_the_answer_is_gone(self, browser: Client) -> None:
        asked = ask()
        Patient.objects.all().delete()

        status, words = self.poll(browser, asked)

        assert (status, "no longer held here" in words) == (286, True)

    def test_an_open_page_learns_that_access_has_ended(self, browser: Client) -> None:
        asked = ask()
        CareTeamMember.objects.all().delete()

        status, words = self.poll(browser, asked)

        assert (status, "not on this patient&#x27;s care team" in words) == (286, True)

    def test_another_users_answer_is_no_more_than_gone(self, browser: Client) -> None:
        asked = ask()
        Question.objects.update(user_id="someone-else")

        assert self.poll(browser, asked)[0] == 286

    def test_the_page_s_own_asking_keeps_no_session_alive(self, browser: Client) -> None:
        asked = ask()
        browser.get(reverse("patients"))
        store = Session.objects.get()
        values = store.get_decoded()
        long_ago = int(timezone.now().timestamp()) - IDLE_SECONDS + 60
        store.session_data = Session.objects.encode({**values, "last_seen": long_ago})
        store.save()

        self.poll(browser, asked)

        assert Session.objects.get().get_decoded()["last_seen"] == long_ago
