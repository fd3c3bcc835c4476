"""An answer made again from its audit row: draft and gate are compared apart."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from clinical.answering import replay as replaying
from clinical.answering import services
from clinical.answering.events import By, Completed, SentenceReady, SentenceWithheld
from clinical.answering.replay import Found, NotReplayableError, target_of
from clinical.domain.access import AccessDeniedError
from clinical.identity.services import find_by_fhir_id
from clinical.models import Answer, AuditEvent, CareTeamMember, DeletionReceipt, Patient, Question, ResourceVersion
from clinical.ports import backends
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

STORY = "Apixaban was stopped because of the gastrointestinal bleed. She denies chest pain."
DRAFT = "Apixaban was stopped because of a gastrointestinal bleed. [1] Warfarin was stopped because of it. [1]"


@pytest.fixture
def audit_id() -> UUID:
    take_in(bundle(patient(), observation(value=4.1), note(STORY)))
    return ask("Why was apixaban stopped?")


def ask(question: str, says: str = DRAFT) -> UUID:
    backends().chat.says = says  # type: ignore[attr-defined]  # the scripted model
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, question, clock=noon)
    last = list(services.events(asked.id, clinician(), clock=noon))[-1]
    assert isinstance(last, Completed)
    return last.audit_id


def again(named: UUID) -> replaying.Replay:
    return replaying.replay(target_of(named), clinician(), now=noon())


def test_the_same_model_and_gate_come_out_equal(audit_id: UUID) -> None:
    found = again(audit_id)

    assert (found.draft, found.gate, found.prompt) == (Found.EQUAL, Found.EQUAL, Found.EQUAL)
    assert found.passages == 1
    assert found.then == found.now
    first, second = backends().chat.prompts  # type: ignore[attr-defined]
    assert first == second


def test_the_question_s_own_id_and_its_first_row_name_it_too(audit_id: UUID) -> None:
    question = Question.objects.get()
    started = AuditEvent.objects.get(outcome="STARTED", action="question")

    assert target_of(question.id) == target_of(started.id) == target_of(audit_id)


def test_another_draft_differs_while_the_gate_is_equal(audit_id: UUID) -> None:
    backends().chat.says = DRAFT + " She is well. [1]"  # type: ignore[attr-defined]

    found = again(audit_id)

    assert (found.draft, found.gate) == (Found.DIFFERS, Found.EQUAL)


def test_a_gate_that_judges_otherwise_differs_while_the_draft_is_equal(
    audit_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinical.domain.gate.check.about", lambda *_args: False)

    found = again(audit_id)

    assert (found.draft, found.gate) == (Found.EQUAL, Found.DIFFERS)


def test_other_weights_are_named_and_not_asked(audit_id: UUID) -> None:
    chat: Any = backends().chat
    chat.digest = "6" * 64

    found = again(audit_id)

    assert (found.draft, found.gate) == (Found.MODEL_DIFFERS, Found.EQUAL)
    assert (found.then["model"], found.now["model"]) == ("5" * 64, "6" * 64)
    assert len(chat.prompts) == 1


def test_a_model_that_is_down_leaves_the_gate_comparable(audit_id: UUID) -> None:
    backends().chat.down = True  # type: ignore[attr-defined]

    assert (again(audit_id).draft, again(audit_id).gate) == (Found.MODEL_UNAVAILABLE, Found.EQUAL)


def test_passages_are_those_of_the_version_cited_then(audit_id: UUID) -> None:
    take_in(note("Apixaban was stopped because of a fall.", date="2026-02-11T09:00:00Z"))
    take_in(note("x", logical_id="note-2"))

    found = again(audit_id)

    assert (found.draft, found.gate, found.prompt) == (Found.EQUAL, Found.EQUAL, Found.EQUAL)
    assert "gastrointestinal bleed" in found.words["prompt"][1]


class TestAFactThatSaysOtherwise:
    """The gate sets a draft against typed facts too; replay against those of then."""

    TAKES = "She is taking apixaban because of atrial fibrillation."

    def order(self, status: str, when: str) -> dict[str, Any]:
        return {
            "resourceType": "MedicationRequest",
            "id": "m1",
            "status": status,
            "intent": "order",
            "medicationCodeableConcept": {"text": "Apixaban 5 mg tablet"},
            "subject": {"reference": "Patient/amina"},
            "authoredOn": when,
        }

    def events(self) -> list[Any]:
        backends().chat.says = f"{self.TAKES} [1]"  # type: ignore[attr-defined]
        found = find_by_fhir_id("amina")
        assert found is not None
        asked = services.ask(clinician(), found.id, "Why is she taking apixaban?", clock=noon)
        return list(services.events(asked.id, clinician(), clock=noon))

    def test_is_shown_where_the_sentence_is_withheld(self) -> None:
        take_in(bundle(patient(), note(self.TAKES), self.order("stopped", "2026-02-20")))

        events = self.events()

        assert [one.reason for one in events if isinstance(one, SentenceWithheld)] == ["superseded"]
        told = [one for one in events if isinstance(one, SentenceReady) and one.text.startswith("The record says")]
        assert [one.by for one in told] == [By.CODE]
        assert "stopped" in told[0].text
        assert told[0].citations

    @pytest.mark.parametrize(("then", "later"), [("active", "stopped"), ("stopped", "active")])
    def test_that_comes_later_does_not_change_the_gate_s_verdict_of_then(self, then: str, later: str) -> None:
        take_in(bundle(patient(), note(self.TAKES), self.order(then, "2026-02-20")))
        question = self.events()[-1].audit_id
        take_in(self.order(later, "2026-02-21"))

        assert (again(question).gate, again(question).draft) == (Found.EQUAL, Found.EQUAL)


def test_a_version_that_is_no_longer_held_is_named(audit_id: UUID) -> None:
    ResourceVersion.objects.filter(resource_type="DocumentReference").delete()

    found = again(audit_id)

    assert (found.draft, found.gate) == (Found.PASSAGES_DIFFER, Found.PASSAGES_DIFFER)
    assert found.passages_changed == [1]
    assert len(backends().chat.prompts) == 1  # type: ignore[attr-defined]


def test_a_changed_layout_of_the_prompt_is_named(audit_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinical.domain.prompt.SYSTEM", "You are something else.")

    found = again(audit_id)

    assert (found.prompt, found.draft) == (Found.DIFFERS, Found.EQUAL)


def test_what_code_answered_has_no_draft_to_compare(audit_id: UUID) -> None:
    assert again(ask("What is the latest potassium?")).draft is Found.NO_DRAFT


def test_a_draft_that_lost_its_way_is_compared_as_far_as_it_went(audit_id: UUID) -> None:
    lost = ask("Why was apixaban stopped?", " ".join(f"Warfarin {number} mg was given. [1]" for number in range(20)))

    assert (again(lost).draft, again(lost).gate) == (Found.EQUAL, Found.EQUAL)


def test_an_answer_the_reader_left_is_compared_as_far_as_it_went() -> None:
    take_in(bundle(patient(), note(STORY)))
    backends().chat.says = DRAFT  # type: ignore[attr-defined]
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, "Why was apixaban stopped?", clock=noon)
    running: Any = services.events(asked.id, clinician(), clock=noon)
    while not backends().chat.prompts:  # type: ignore[attr-defined]
        next(running)
    running.close()

    assert Answer.objects.get().outcome == "INTERRUPTED"
    assert (again(asked.id).draft, again(asked.id).gate) == (Found.EQUAL, Found.EQUAL)


class TestAfterErasure:
    def test_the_row_on_the_trail_says_erased_and_nothing_is_read(self, audit_id: UUID) -> None:
        question_id = Question.objects.get().id
        Patient.objects.all().delete()

        for named in (audit_id, question_id):
            found = replaying.replay(target_of(named), None, now=noon())
            assert (found.draft, found.gate, found.words) == (Found.ERASED, Found.ERASED, {})
        assert len(backends().chat.prompts) == 1  # type: ignore[attr-defined]

    def test_an_erasure_under_way_counts_already(self, audit_id: UUID) -> None:
        DeletionReceipt.objects.create(
            kind="patient", patient_id=Patient.objects.get().id, reason="wish", user_id="x", begun_at=noon()
        )

        assert replaying.replay(target_of(audit_id), None, now=noon()).draft is Found.ERASED


class TestWhoMay:
    def test_access_is_decided_anew(self, audit_id: UUID) -> None:
        CareTeamMember.objects.all().delete()

        with pytest.raises(AccessDeniedError, match="not-in-care-team"):
            again(audit_id)

    def test_it_is_on_the_trail_with_its_outcome_and_without_words(self, audit_id: UUID) -> None:
        again(audit_id)

        row = AuditEvent.objects.get(action="question.replay")
        assert (row.outcome, row.detail["draft"], row.detail["gate"]) == ("SUCCESS", "equal", "equal")
        assert "pixaban" not in str(row.detail)

    @pytest.mark.parametrize("reason", ["unknown", "no-question"])
    def test_what_names_no_question_is_refused(self, audit_id: UUID, reason: str) -> None:
        with pytest.raises(CommandError):
            call_command("drafting", "off", "--as", "demo-clinician", "--reason", "x")
        named = uuid4() if reason == "unknown" else AuditEvent.objects.get(action="switch.drafting").id

        with pytest.raises(NotReplayableError, match=reason):
            target_of(named)


class TestTheCommand:
    def run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("replay", *arguments, stdout=out)
        return out.getvalue()

    def test_prints_digests_and_no_words_unless_asked_to(self, audit_id: UUID) -> None:
        report = json.loads(self.run(str(audit_id), "--json"))
        shown = json.loads(self.run(str(audit_id), "--json", "--show"))

        assert (report["draft"], report["gate"], report["prompt"]) == ("equal", "equal", "equal")
        assert report["passages"] == {"used": 1, "changed": []}
        assert {"model", "seed", "temperature", "max_tokens", "template", "gate"} <= set(report["then"])
        assert "pixaban" not in str(report)
        assert "pixaban" in str(shown["words"])
        assert "draft: equal" in self.run(str(audit_id))

    def test_ends_with_an_error_when_something_differs(self, audit_id: UUID) -> None:
        backends().chat.says = "Something else. [1]"  # type: ignore[attr-defined]

        with pytest.raises(CommandError, match="draft: differs, gate: equal") as error:
            self.run(str(audit_id))
        assert error.value.returncode == 1

    def test_on_a_site_it_needs_a_reason(self, audit_id: UUID, settings: Any) -> None:
        settings.CLINICAL_PROFILE = "site"

        with pytest.raises(CommandError, match="break-glass"):
            self.run(str(audit_id))
        assert "draft: equal" in self.run(str(audit_id), "--break-glass", "complaint 12")
        assert AuditEvent.objects.get(action="command.replay").detail == {"break_glass": True}

    def test_after_erasure_it_says_so_and_needs_no_user(self, audit_id: UUID) -> None:
        Patient.objects.all().delete()

        assert json.loads(self.run(str(audit_id), "--json"))["draft"] == "erased"
