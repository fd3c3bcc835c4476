"""What the API answers: the same as the pages, with the same trail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clinical.api.rows import KINDS
from clinical.models import AuditEvent, Question
from tests.api_client import Api, api_door, id_of, operator, token_of  # noqa: F401 - a fixture
from tests.factories import bundle, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WORDS = "Apixaban was stopped because of a bleed \N{LATIN SMALL LETTER E WITH ACUTE}."
ASK = "Latest potassium?"


@pytest.fixture(autouse=True)
def _amina(api: Api) -> None:
    take_in(
        bundle(
            patient(),
            observation("k1", value=4.1, when="2026-02-01"),
            observation("k2", value=5.6, when="2026-02-20"),
            note(WORDS),
        )
    )


def asked(api: Api, text: str = ASK) -> dict[str, Any]:
    found: dict[str, Any] = api.post(f"/api/patients/{id_of()}/questions", {"question": text}, 201)
    return found


def trail() -> list[tuple[str, str]]:
    return list(
        AuditEvent.objects.exclude(action__startswith="api-token").order_by("seq").values_list("action", "outcome")
    )


def streamed(api: Api, path: str) -> list[tuple[str, Any]]:
    reply = api.client.get(path, headers={"Authorization": f"Bearer {api.token}"})
    wire = b"".join(reply.streaming_content).decode()  # type: ignore[attr-defined]
    blocks = [block.split("\n") for block in wire.split("\n\n") if block.startswith("event: ")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


class TestAQuestion:
    def test_is_answered_in_the_shape_of_the_command_with_the_trail_of_the_pages(self, api: Api) -> None:
        taken = asked(api)

        answer = api.get(taken["answer"])

        assert answer["status"] == "answered"
        assert any("5.6" in one["text"] and one["shown"] for one in answer["sentences"])
        assert trail() == [
            ("api.call", "STARTED"),
            ("question", "STARTED"),
            ("api.call", "STARTED"),
            ("question", "SUCCESS"),
        ]
        assert answer["audit_id"] == str(AuditEvent.objects.get(action="question", outcome="SUCCESS").id)

    def test_streams_the_same_and_repeats_the_stored_answer(self, api: Api) -> None:
        taken = asked(api)

        told = streamed(api, taken["events"])
        again = api.get(taken["answer"])

        names = [name for name, _ in told]
        assert (names[0], names[-2:]) == ("route", ["complete", "end"])
        assert [value for name, value in told if name == "sentence"] == again["sentences"]
        assert dict(told)["complete"]["audit_id"] == again["audit_id"]
        assert trail()[-1] == ("question", "REPLAYED")

    def test_that_is_not_documented_says_what_was_searched(self, api: Api) -> None:
        answer = api.get(asked(api, "What is the shoe size?")["answer"])

        assert answer["status"] == "not_documented"
        assert answer["absence"]["searched"]["Observation"] == 2

    def test_of_another_user_is_not_found(self, api: Api) -> None:
        taken = asked(api)
        Question.objects.update(user_id="somebody-else")

        assert api.refused("GET", taken["answer"]) == (404, "not-found")
        assert api.refused("GET", taken["events"]) == (404, "not-found")


class TestTheRecord:
    def test_finds_the_caller_s_patients_by_words_in_the_body(self, api: Api) -> None:
        [found] = api.post("/api/patients/search", {"words": "exam"})["patients"]

        assert (found["id"], found["family"]) == (str(id_of()), "Example")
        assert api.post("/api/patients/search", {"words": "nobody"}) == {"patients": [], "more": False}

    def test_shows_the_chart_with_citations_that_are_the_source_s_own_words(self, api: Api) -> None:
        chart = api.get(f"/api/patients/{id_of()}/chart")

        [line] = chart["results"]
        assert (line["value"], line["previous"], line["count"]) == ("5.6 mmol/L", "4.1 mmol/L", 2)
        assert chart["banner"]["allergies"]["state"] == "never-asked"
        for cited in line["citations"]:
            assert source(api, cited)["quote"] == cited["quote"]
        assert trail()[:2] == [("api.call", "STARTED"), ("chart.view", "SUCCESS")]

    def test_gives_facts_of_each_kind_newest_first_in_pages(self, api: Api) -> None:
        at = f"/api/patients/{id_of()}/facts"

        whole = api.get(f"{at}/observation")
        second = api.get(f"{at}/observation?first=1&limit=1")

        assert [one["values"]["value"]["number"] for one in whole["facts"]] == ["5.6", "4.1"]
        assert (second["total"], second["facts"]) == (2, whole["facts"][1:])
        assert {kind: api.get(f"{at}/{kind}")["total"] for kind in KINDS if kind in ("patient", "allergy")} == {
            "patient": 1,
            "allergy": 0,
        }

    def test_returns_the_exact_words_of_a_span_in_code_points(self, api: Api) -> None:
        start = WORDS.index("bleed")
        at = f"/api/patients/{id_of()}/sources/DocumentReference/note-1/1"

        found = api.get(f"{at}?part=text&start={start}&end={len(WORDS)}&context=2")

        assert (found["before"], found["quote"], found["after"]) == ("a ", WORDS[start:], "")
        assert found["length"] == len(WORDS)
        assert api.refused("GET", f"{at}?start=0&end={len(WORDS) + 1}") == (404, "not-found")

    def test_says_to_operators_where_everything_went(self, api: Api) -> None:
        of_operator = token_of(operator())

        status = api.get("/api/ingest/status", token=of_operator)
        listed = api.get("/api/ingest/jobs?limit=1", token=of_operator)

        assert status["counts"]["received"] == status["counts"]["stored"] == 4
        assert (status["conservation"]["holds"], status["jobs"]["done"]) == (True, 1)
        assert listed["jobs"][0]["received"] == 4
        assert api.get(f"/api/ingest/jobs?before={listed['before']}", token=of_operator)["jobs"] == []


def source(api: Api, cited: dict[str, Any]) -> dict[str, Any]:
    at = f"/api/patients/{id_of()}/sources/{cited['resource']}/{cited['version']}"
    found: dict[str, Any] = api.get(f"{at}?part={cited['part']}&start={cited['start']}&end={cited['end']}")
    return found
