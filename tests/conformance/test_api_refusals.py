"""What the API refuses, and that a refusal tells no more than it must.

Source: RFC 9457 (problem details), RFC 6750 (bearer tokens), RFC 9110 (405 with Allow).
"""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished
from django.db import DatabaseError, close_old_connections
from django.test import Client
from django.utils import timezone

from clinical.access.idle import LIMIT_SECONDS
from clinical.api import limits
from clinical.audit import trail
from clinical.models import ApiToken, AuditEvent, Question
from tests.api_client import Api, api_door, described, id_of, operator, token_of  # noqa: F401 - a fixture
from tests.factories import bundle, clinician, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
QUESTION = {"question": "Latest potassium?"}
SEARCH = "/api/patients/search"


@pytest.fixture(autouse=True)
def _amina(api: Api) -> None:
    take_in(bundle(patient(), observation()))


def chart(patient_id: Any = None) -> str:
    return f"/api/patients/{patient_id or id_of()}/chart"


class TestWhoeverMayNotSeeAPatient:
    @pytest.mark.parametrize(
        ("method", "rest"),
        [("GET", "chart"), ("GET", "facts/observation"), ("GET", "sources/Patient/amina/1"), ("POST", "questions")],
    )
    def test_is_told_the_same_as_if_there_were_none(self, api: Api, method: str, rest: str) -> None:
        token = token_of(clinician("stranger"))
        body = QUESTION if method == "POST" else None

        told = [api.call(method, f"/api/patients/{one}/{rest}", body, token=token) for one in (id_of(), uuid4())]

        assert [reply.status_code for reply in told] == [404, 404]
        assert told[0].content == told[1].content
        assert sorted(told[0].headers.items()) == sorted(told[1].headers.items())
        assert AuditEvent.objects.filter(outcome="DENIED", detail__reason="not-in-care-team").count() == 2
        assert not Question.objects.exists()

    def test_is_told_that_he_has_no_clinical_role(self, api: Api) -> None:
        assert api.refused("GET", chart(), token=token_of(operator())) == (403, "no-clinical-role")

    def test_finds_nobody(self, api: Api) -> None:
        reply = api.call("POST", SEARCH, {"words": "example"}, token=token_of(clinician("stranger")))
        assert json.loads(reply.content)["patients"] == []

    def test_does_not_see_the_ledger_unless_an_operator(self, api: Api) -> None:
        assert api.refused("GET", "/api/ingest/status") == (403, "no-operator-role")
        assert AuditEvent.objects.get(outcome="DENIED").action == "ingest.view"


class TestATokenThatIsNotGood:
    @pytest.mark.parametrize("given", ["Basic YTpi", "Bearer", "Bearer  ", "", "api_x"])
    def test_in_form_is_no_credential(self, api: Api, given: str) -> None:
        assert api.refused("GET", chart(), token="", headers={"Authorization": given}) == (401, "no-credentials")

    def test_is_refused_with_its_reason_on_the_trail(self, api: Api) -> None:
        expired = token_of(api.user, life=timedelta(seconds=1))
        ApiToken.objects.update(expires_at=timezone.now())
        assert api.refused("GET", chart(), token="api_nothing") == (401, "unknown-token")
        assert api.refused("GET", chart(), token=expired) == (401, "expired-token")
        reasons = AuditEvent.objects.filter(action="api.token").values_list("detail__reason", flat=True)
        assert list(reasons) == ["unknown-token", "expired-token"]

    def test_does_not_fall_back_on_the_session(self, api: Api) -> None:
        sign_in(api.client)
        assert api.refused("GET", chart(), token="api_nothing") == (401, "unknown-token")

    def test_does_not_go_into_an_address(self, api: Api) -> None:
        assert api.refused("GET", f"{chart()}?access_token={api.token}", token="") == (400, "unknown-parameter")

    def test_covers_its_scopes_only(self, api: Api) -> None:
        token = token_of(api.user, "sources")
        assert api.refused("GET", chart(), token=token) == (403, "scope")
        assert api.refused("POST", f"/api/patients/{id_of()}/questions", QUESTION, token=token) == (403, "scope")


def sign_in(client: Client) -> None:
    client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")


class TestTheSession:
    def test_reads_without_and_writes_with_the_csrf_token(self, api: Api) -> None:
        api.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        sign_in(api.client)
        secret = "a" * 32
        api.client.cookies[django_settings.CSRF_COOKIE_NAME] = secret

        assert api.call("GET", chart(), token="").status_code == 200
        assert api.refused("POST", SEARCH, {}, token="") == (403, "csrf")
        assert api.refused("POST", SEARCH, {}, token="", headers={"X-CSRFToken": "b" * 32}) == (403, "csrf")
        assert api.call("POST", SEARCH, {}, token="", headers={"X-CSRFToken": secret}).status_code == 200

    def test_that_was_left_alone_is_refused_and_a_program_does_not_keep_it_alive(self, api: Api) -> None:
        sign_in(api.client)
        session = api.client.session
        session["last_seen"] = int(timezone.now().timestamp()) - 60
        session.save()
        assert api.call("GET", chart(), token="").status_code == 200
        assert api.client.session["last_seen"] == session["last_seen"]

        session["last_seen"] -= LIMIT_SECONDS
        session.save()
        assert api.refused("GET", chart(), token="") == (401, "idle-session")

    def test_of_nobody_is_no_credential(self, api: Api) -> None:
        api.client.cookies[django_settings.SESSION_COOKIE_NAME] = "x" * 32
        assert api.refused("GET", chart(), token="") == (401, "no-credentials")


class TestABody:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b" ", "not-json"),
            (b"{", "not-json"),
            (b'{"question": "\xff"}', "not-json"),
            (b'{"question": "\\ud800"}', "not-json"),
            (b"[" * 60000, "bad-body"),
            (b"[]", "bad-body"),
            (b"{}", "bad-body"),
            (b'{"question": 1}', "bad-body"),
            (b'{"question": ""}', "bad-body"),
            (b'{"question": "  "}', "empty"),
            (json.dumps({"question": "x" * 2001}).encode(), "bad-body"),
            (b'{"question": "x", "model": "other"}', "unknown-field"),
        ],
    )
    def test_of_another_form_is_refused_before_anything_is_kept(self, api: Api, body: bytes, code: str) -> None:
        assert api.refused("POST", f"/api/patients/{id_of()}/questions", body) == (400, code)
        assert not Question.objects.exists()

    def test_is_bounded_and_json(self, api: Api) -> None:
        assert api.refused("POST", SEARCH, b" " * (64 * 1024 + 1)) == (413, "too-large")
        assert api.refused("POST", SEARCH, b"words=x", content_type="application/x-www-form-urlencoded") == (
            415,
            "media-type",
        )
        assert api.refused("POST", SEARCH, {}, headers={"Content-Encoding": "gzip"}) == (415, "media-type")

    def test_may_come_in_chunks_and_is_bounded_all_the_same(self, api: Api) -> None:
        def sent(content: bytes) -> int:
            chunks: dict[str, Any] = {
                "wsgi.input": io.BytesIO(content),
                "wsgi.input_terminated": True,
                "CONTENT_TYPE": "application/json",
            }
            return api.call("POST", SEARCH, b"", headers={"Transfer-Encoding": "chunked"}, **chunks).status_code

        assert [sent(b'{"words": ""}'), sent(b" " * (64 * 1024 + 1))] == [200, 413]

    def test_is_quoted_in_no_refusal(self, api: Api) -> None:
        reply = api.call("POST", SEARCH, {"words": "x", "Canary Jones": "Canary Jones"})
        assert (reply.status_code, b"Canary" in reply.content) == (400, False)


class TestAnAddress:
    @pytest.mark.parametrize("rest", ["?limit=0", "?limit=501", "?limit=x", "?first=-1", "?first=\u0661", "?limit="])
    def test_with_a_value_out_of_bounds_is_refused(self, api: Api, rest: str) -> None:
        reply = api.call("GET", f"/api/patients/{id_of()}/facts/observation{rest}")
        assert (reply.status_code, json.loads(reply.content)["code"]) == (400, "bad-parameter")
        assert json.loads(reply.content)["place"] in ("limit", "first")

    @pytest.mark.parametrize(
        "path",
        ["/api/", "/api/nothing", "/api/patients/1/chart", "/api/patients/x/facts/observation", "/api/%00"],
    )
    def test_where_nothing_is_says_so(self, api: Api, path: str) -> None:
        assert api.refused("GET", path) == (404, "not-found")

    @pytest.mark.parametrize("rest", ["facts/secret", "sources/Observation/k1/9", "sources/Observation/k%001/1"])
    def test_of_what_is_not_held_says_the_same(self, api: Api, rest: str) -> None:
        assert api.refused("GET", f"/api/patients/{id_of()}/{rest}") == (404, "not-found")

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
    def test_names_the_methods_it_takes(self, api: Api, method: str) -> None:
        reply = api.call(method, chart())
        assert (reply.status_code, reply.headers["Allow"]) == (405, "GET")


class TestTooMuch:
    def test_of_one_user_s_questions_and_calls_is_refused_for_a_while(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "QUESTIONS_A_MINUTE", 1)
        at = f"/api/patients/{id_of()}/questions"
        api.post(at, QUESTION, 201)
        assert api.refused("POST", at, QUESTION) == (429, "too-many-questions")

        monkeypatch.setattr(limits, "REQUESTS_A_MINUTE", 2)
        reply = api.call("GET", chart())
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "5")
        assert api.call("GET", chart(), token=token_of(clinician("other"))).status_code == 404

    def test_answers_at_once_leave_threads_for_the_hooks(self, api: Api) -> None:
        taken = api.post(f"/api/patients/{id_of()}/questions", QUESTION, 201)
        held = [limits.Slot(api.user.username) for _ in range(limits.ANSWERS_OF_ONE)]
        assert api.refused("GET", taken["events"]) == (429, "too-many-answers")
        for one in held:
            one.release()
            one.release()
        held = [limits.Slot(f"user-{number}") for number in range(limits.ANSWERS_IN_ALL)]
        assert api.refused("GET", taken["answer"]) == (503, "busy")
        held.pop().release()

        stream = api.client.get(taken["events"], headers={"Authorization": f"Bearer {api.token}"})
        assert api.refused("GET", taken["answer"]) == (503, "busy")
        request_finished.disconnect(close_old_connections)  # which would end this test's own transaction
        stream.close()  # the client left before the first byte
        request_finished.connect(close_old_connections)

        assert api.call("GET", taken["answer"]).status_code == 200


def test_without_the_trail_nothing_is_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_named: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(trail, "append", fail)
    assert api.refused("GET", chart()) == (503, "unavailable")
    assert api.refused("GET", chart(), token="api_nothing") == (401, "unknown-token")


def test_a_fault_of_ours_is_a_problem_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinical.api.charts.chart_of", lambda *_a, **_k: 1 / 0)
    reply = api.client.get(chart(), headers={"Authorization": f"Bearer {api.token}"})
    assert reply.status_code == 500
    assert json.loads(reply.content)["code"] == "exception"
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_host_that_is_not_ours_is_refused_as_a_problem(api: Api, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["clinic.internal"]
    reply = api.client.get(chart(), headers={"Host": "elsewhere.example"})
    assert (reply.status_code, json.loads(reply.content)["code"]) == (400, "bad-request")
    described("GET", "/api/nothing", reply)  # type: ignore[arg-type]  # the test client's own type
