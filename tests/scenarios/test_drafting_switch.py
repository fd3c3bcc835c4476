"""The clinical lead's switch: drafting stops at once, for running answers too, and only the lead turns it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from clinical.answering import services
from clinical.answering.events import By, ModelUnavailable, SentenceReady, Status
from clinical.answering.switches import drafting_allowed, turn_drafting
from clinical.domain.access import AccessDeniedError
from clinical.identity.services import find_by_fhir_id
from clinical.models import AuditEvent, Switch
from clinical.ports import backends
from tests.factories import bundle, clinician, noon, note, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

STORY = "Apixaban was stopped because of the gastrointestinal bleed. She denies chest pain."
DRAFT = (
    "Apixaban was stopped because of a gastrointestinal bleed. [1] The gastrointestinal bleed led to apixaban being"
    " stopped. [1] Apixaban was stopped. [1] "
)


@pytest.fixture
def lead() -> User:
    user = clinician("lead")
    user.groups.add(Group.objects.get_or_create(name="clinical-lead")[0])
    return user


@pytest.fixture(autouse=True)
def _amina() -> None:
    take_in(bundle(patient(), note(STORY)))
    backends().chat.says = DRAFT  # type: ignore[attr-defined]  # the scripted model


def stream() -> Any:
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, "Why was apixaban stopped?", clock=noon)
    return services.events(asked.id, clinician(), clock=noon)


def drafted(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, SentenceReady) and event.by is By.MODEL]


def reasons(events: list[Any]) -> list[str]:
    return [event.reason for event in events if isinstance(event, ModelUnavailable)]


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("drafting", *arguments, stdout=out)
    return out.getvalue()


def test_off_means_that_the_model_is_not_called_and_quotes_answer(lead: User) -> None:
    turn_drafting(lead, on=False, reason="wrong doses seen", now=noon())

    events = list(stream())

    assert backends().chat.prompts == []  # type: ignore[attr-defined]
    assert reasons(events) == ["drafting-switched-off"]
    assert events[-1].status is Status.ANSWERED


def test_a_running_answer_shows_no_further_sentence_of_the_model(lead: User) -> None:
    running = stream()
    seen: list[Any] = []
    while not drafted(seen):
        seen.append(next(running))

    turn_drafting(lead, on=False, reason="wrong doses seen", now=noon())
    rest = list(running)

    assert drafted(rest) == []
    assert reasons(rest) == ["drafting-switched-off"]
    assert backends().chat.streams[-1].closed  # type: ignore[attr-defined]
    assert rest[-1].status is Status.ANSWERED


def test_without_the_switch_the_same_answer_has_more_sentences() -> None:
    assert len(drafted(list(stream()))) > 1


def test_on_again_the_model_drafts_again(lead: User) -> None:
    turn_drafting(lead, on=False, reason="looked into", now=noon())
    turn_drafting(lead, on=True, reason="explained", now=noon())

    assert drafted(list(stream()))


def test_an_installation_that_has_it_off_stays_off(lead: User, settings: Any) -> None:
    settings.CLINICAL_DRAFTING = False
    turn_drafting(lead, on=True, reason="please", now=noon())

    assert not drafting_allowed()
    assert reasons(list(stream())) == ["drafting-switched-off"]


def test_only_the_lead_turns_it_and_a_refusal_is_on_the_trail() -> None:
    with pytest.raises(AccessDeniedError, match="no-lead-role") as denial:
        turn_drafting(clinician(), on=False, reason="I want to", now=noon())

    assert drafting_allowed()
    row = AuditEvent.objects.get(action="switch.drafting")
    assert (row.outcome, row.id) == ("DENIED", denial.value.audit_id)


def test_each_turn_is_on_the_trail_without_its_words(lead: User) -> None:
    turn_drafting(lead, on=False, reason="Mrs Example was given too much", now=noon())

    row = AuditEvent.objects.get(action="switch.drafting")
    assert (row.outcome, row.user_id, row.detail) == ("SUCCESS", "lead", {"on": False})
    assert Switch.objects.get().reason == "Mrs Example was given too much"


def test_without_the_trail_nothing_is_turned(lead: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr("clinical.audit.trail.append", broken)
    with pytest.raises(OSError):  # noqa: PT011 - it has no words
        turn_drafting(lead, on=False, reason="x", now=noon())

    assert not Switch.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_turn_needs_a_reason_that_fits(lead: User, reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        turn_drafting(lead, on=False, reason=reason, now=noon())


class TestTheCommand:
    def test_says_how_it_stands(self, lead: User) -> None:
        assert json.loads(command("status", "--json")) == {"drafting": True, "installation": True, "turned": None}

        off = json.loads(command("off", "--as", lead.username, "--reason", "wrong doses", "--json"))

        assert off["drafting"] is False
        assert (off["turned"]["by"], off["turned"]["reason"]) == ("lead", "wrong doses")
        assert command("status").splitlines()[0] == "Drafting is off."

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("off", "--reason", "x"), "--as"),
            (("off", "--as", "nobody", "--reason", "x"), "--as"),
            (("off", "--as", "lead"), "--reason"),
            (("off", "--as", "demo-clinician", "--reason", "x"), "no-lead-role"),
        ],
    )
    def test_refuses_what_it_cannot_do_and_says_why(self, lead: User, arguments: tuple[str, ...], words: str) -> None:
        clinician()
        with pytest.raises(CommandError, match=words):
            command(*arguments)

        assert drafting_allowed()
