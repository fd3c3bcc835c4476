"""Asking about a patient: what is shown, withheld, refused, and what the trail says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.db import Error

from clinical.access.services import grant_access
from clinical.answering import services, stored
from clinical.answering.events import (
    By,
    Completed,
    EvidenceFound,
    ModelUnavailable,
    NotDocumented,
    SentenceReady,
    SentenceWithheld,
    Status,
)
from clinical.domain.access import AccessDeniedError
from clinical.domain.passages import Part
from clinical.identity.services import find_by_fhir_id
from clinical.models import Answer, AuditEvent, Question
from clinical.ports import BackendUnavailableError, backends
from clinical.record.selectors import part_text, version_of
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinical.answering.events import AnswerEvent

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

STORY = (
    "She was admitted on 3 February 2026 with a gastrointestinal bleed. "
    "Apixaban was stopped because of the gastrointestinal bleed. "
    "Her mother had breast cancer. She denies chest pain."
)
WHY = "Why was apixaban stopped?"


@pytest.fixture(autouse=True)
def _amina() -> None:
    clinician()
    take_in(bundle(patient(), observation(value=4.1), note(STORY)))


def run(question: str, user: str = "demo-clinician", logical_id: str = "amina") -> list[Any]:
    return list(stream(question, user, logical_id))


def stream(question: str, user: str = "demo-clinician", logical_id: str = "amina") -> Iterator[AnswerEvent]:
    found = find_by_fhir_id(logical_id)
    assert found is not None
    asked = services.ask(clinician(user), found.id, question, clock=noon)
    return services.events(asked.id, clinician(user), clock=noon)


def says(text: str) -> None:
    backends().chat.says = text  # type: ignore[attr-defined]  # the scripted model


def of(kind: type[Any], events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


class TestALookUp:
    def test_is_answered_by_code_without_the_model(self) -> None:
        says("Potassium is 9.9 mmol/L.")

        events = run("What is the latest potassium?")

        [sentence] = of(SentenceReady, events)
        assert sentence.by is By.CODE
        assert "4.1" in sentence.text and "mmol/L" in sentence.text
        assert backends().chat.prompts == []  # type: ignore[attr-defined]
        assert events[-1].status is Status.ANSWERED

    def test_every_citation_quotes_the_exact_words_of_the_record(self) -> None:
        events = run("What is the latest potassium?") + run(WHY)
        found = find_by_fhir_id("amina")
        assert found is not None
        grant = grant_access(clinician(), found.id, action="test", now=noon())

        citations = [c for sentence in of(SentenceReady, events) for c in sentence.citations]

        assert {c.span.part for c in citations} == {Part.TEXT, Part.JSON}
        for citation in citations:
            span = citation.span
            text = part_text(version_of(grant, span.resource, span.version), span.part)
            assert text[span.start : span.end] == citation.quote


class TestANoteQuestion:
    def test_shows_sources_first_then_the_records_own_words(self) -> None:
        events = run(WHY)

        kinds = [type(event) for event in events]
        assert kinds.index(EvidenceFound) < kinds.index(SentenceReady)
        quotes = [s.text for s in of(SentenceReady, events) if s.by is By.QUOTE]
        assert quotes[0] == "Apixaban was stopped because of the gastrointestinal bleed."

    def test_a_drafted_sentence_the_record_bears_out_is_shown(self) -> None:
        says("Apixaban was stopped because of a gastrointestinal bleed. [1]")

        drafted = [s for s in of(SentenceReady, run(WHY)) if s.by is By.MODEL]

        assert [s.text for s in drafted] == ["Apixaban was stopped because of a gastrointestinal bleed."]
        assert drafted[0].citations

    @pytest.mark.parametrize(
        "lie",
        [
            "Apixaban was stopped on 4 February 2026 because of a gastrointestinal bleed. [1]",
            "Warfarin was stopped because of a gastrointestinal bleed. [1]",
            "Apixaban was not stopped because of the gastrointestinal bleed. [1]",
            "Apixaban 5 mg was stopped because of a gastrointestinal bleed. [1]",
            "The patient had breast cancer. [1]",
            "[click](http://evil.example) Apixaban was stopped because of the gastrointestinal bleed. [1]",
        ],
    )
    def test_a_drafted_sentence_it_does_not_bear_out_is_withheld_with_a_reason(self, lie: str) -> None:
        says(lie)

        events = run(WHY)

        assert [s for s in of(SentenceReady, events) if s.by is By.MODEL] == []
        assert all(event.reason for event in of(SentenceWithheld, events))
        assert events[-1].withheld >= 1
        assert lie not in str(stored.as_json(events))

    def test_what_the_token_limit_cut_off_is_not_shown(self) -> None:
        says("Apixaban was stopped because of a gastrointestinal bleed. [1] She denies chest")

        drafted = [s.text for s in of(SentenceReady, run(WHY)) if s.by is By.MODEL]

        assert drafted == ["Apixaban was stopped because of a gastrointestinal bleed."]

    def test_a_draft_that_has_lost_its_way_is_ended(self) -> None:
        says(" ".join(f"Warfarin {number} mg was given. [1]" for number in range(20)))

        events = run(WHY)

        assert len(of(SentenceWithheld, events)) == 3
        assert backends().chat.streams[-1].closed  # type: ignore[attr-defined]

    def test_with_the_model_down_quotes_stand_and_the_answer_says_so(self) -> None:
        backends().chat.down = True  # type: ignore[attr-defined]

        events = run(WHY)

        assert of(ModelUnavailable, events)
        assert events[-1].status is Status.ANSWERED

    def test_with_the_index_down_the_record_itself_is_read(self) -> None:
        for one, _tenant in list(backends().index.passage_ids()):
            backends().index.delete_passages([one])

        assert run(WHY)[-1].status is Status.ANSWERED


class TestAbsence:
    def test_is_proved_and_the_model_is_not_called(self) -> None:
        says("The last colonoscopy was in 2020.")

        events = run("When was the last colonoscopy?")

        [absent] = of(NotDocumented, events)
        assert absent.absence.searched == {"DocumentReference": 1, "Observation": 1, "Patient": 1}
        assert absent.absence.passages == 1
        assert absent.absence.watermark.startswith("2026-03-01T12:00")
        assert backends().chat.prompts == []  # type: ignore[attr-defined]
        assert events[-1].status is Status.NOT_DOCUMENTED

    def test_a_restricted_note_is_not_searched(self) -> None:
        secret = note(
            "Colonoscopy done on 1 May 2024: two polyps removed.",
            logical_id="secret",
            meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]},
        )
        take_in(secret)

        events = run("When was the last colonoscopy?")

        assert events[-1].status is Status.NOT_DOCUMENTED
        assert "polyps" not in str(stored.as_json(events))


class TestAccess:
    def test_a_stranger_is_denied_and_the_denial_is_on_the_trail(self) -> None:
        with pytest.raises(AccessDeniedError, match="not-in-care-team"):
            run(WHY, user="stranger")

        assert AuditEvent.objects.get(user_id="stranger").outcome == "DENIED"
        assert Question.objects.count() == 0

    def test_another_patients_words_never_answer(self) -> None:
        take_in(
            bundle(patient("bruno", gender="male"), note("Metformin was started.", logical_id="b", subject="bruno"))
        )

        assert run("Is she on metformin?")[-1].status is Status.NOT_DOCUMENTED

    def test_another_users_question_cannot_be_opened(self) -> None:
        run(WHY)
        with pytest.raises(Question.DoesNotExist):
            services.events(Question.objects.get().id, clinician("stranger"), clock=noon)


class TestTheTrail:
    def outcomes(self) -> list[str]:
        return list(AuditEvent.objects.order_by("seq").values_list("outcome", flat=True))

    def test_begins_before_anything_is_read_and_ends_with_success(self) -> None:
        run(WHY)

        assert self.outcomes() == ["STARTED", "SUCCESS"]

    def test_a_reader_who_leaves_is_recorded_as_interrupted_and_frees_the_model(self) -> None:
        says("Apixaban was stopped because of a gastrointestinal bleed. [1] " * 20)
        events = stream(WHY)
        while not (isinstance(event := next(events), SentenceReady) and event.by is By.MODEL):
            pass
        events.close()  # type: ignore[attr-defined]  # a generator

        assert self.outcomes() == ["STARTED", "INTERRUPTED"]
        assert backends().chat.streams[-1].closed  # type: ignore[attr-defined]

    def test_without_the_trail_nothing_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_args: object, **_kwargs: object) -> None:
            raise Error

        monkeypatch.setattr("clinical.audit.trail.append", broken)

        with pytest.raises(Error):
            run(WHY)
        assert Question.objects.count() == 0

    def test_holds_no_words_of_question_or_record(self) -> None:
        run(WHY)

        for row in AuditEvent.objects.values():
            assert "pixaban" not in str(row)


class TestAnAnswerGiven:
    def test_is_replayed_on_reconnect_without_the_model(self) -> None:
        first = run(WHY)
        prompts = len(backends().chat.prompts)  # type: ignore[attr-defined]

        again = list(services.events(Question.objects.get().id, clinician(), clock=noon))

        assert of(SentenceReady, again) == of(SentenceReady, first)
        assert isinstance(again[-1], Completed)
        assert len(backends().chat.prompts) == prompts  # type: ignore[attr-defined]

    def test_turns_stale_when_a_cited_record_changes(self) -> None:
        run("What is the latest potassium?")
        assert Answer.objects.get().stale_since is None

        take_in(observation(value=4.4, status="corrected"))

        assert Answer.objects.get().stale_since is not None


class _Unavailable:
    """An embedder whose weights are not there, and an index that does not answer."""

    digest, dimension = "0" * 64, 32

    def __getattr__(self, name: str) -> Any:
        def refuse(*_args: object, **_kwargs: object) -> None:
            raise BackendUnavailableError(name)

        return refuse


class TestWithNothingButTheRecord:
    def test_quotes_and_facts_still_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gone: Any = _Unavailable()
        box = replace(backends(), embedder=gone, retriever=gone, index=gone)
        monkeypatch.setattr("clinical.answering.evidence.backends", lambda: box)
        backends().chat.down = True  # type: ignore[attr-defined]

        assert run(WHY)[-1].status is Status.ANSWERED
        assert run("What is the latest potassium?")[-1].status is Status.ANSWERED
