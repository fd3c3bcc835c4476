"""`manage.py ask`: a refusal is an error with a reason and its row; what is printed cannot steer a terminal."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinical.models import AuditEvent
from tests.factories import bundle, clinician, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WHY = "Why was apixaban stopped?"


@pytest.fixture(autouse=True)
def _amina() -> None:
    clinician()
    take_in(bundle(patient(), observation(value=4.1), note("Apixaban was stopped because of a \x1b[2Jbleed\u202e.")))


def ask(*arguments: str, user: str = "demo-clinician") -> str:
    out = io.StringIO()
    call_command("ask", "--patient", "amina", "--as", user, *arguments, stdout=out)
    return out.getvalue()


class TestARefusal:
    def test_ends_with_an_error_that_names_reason_and_row(self) -> None:
        clinician("stranger")
        with pytest.raises(CommandError, match="not-in-care-team") as error:
            ask(WHY, user="stranger")

        denial = AuditEvent.objects.get(outcome="DENIED")
        assert str(denial.id) in str(error.value)
        assert error.value.returncode == 3

    def test_as_json_says_the_same(self) -> None:
        clinician("stranger")
        out = io.StringIO()
        with pytest.raises(CommandError):
            call_command("ask", "--patient", "amina", "--as", "stranger", "--json", WHY, stdout=out)

        printed: dict[str, Any] = json.loads(out.getvalue())
        assert (printed["status"], printed["reason"]) == ("refused", "not-in-care-team")
        assert printed["audit_id"] == str(AuditEvent.objects.get(outcome="DENIED").id)
        assert printed["sentences"] == []

    @pytest.mark.parametrize(("question", "reason"), [("  ", "empty"), ("x" * 2001, "too-long")])
    def test_of_a_question_that_cannot_be_taken_names_the_commands_row(self, question: str, reason: str) -> None:
        with pytest.raises(CommandError, match=f"refused: {reason}") as error:
            ask(question)

        assert str(AuditEvent.objects.get(action="command.ask").id) in str(error.value)


class TestWhatIsPrinted:
    def test_shows_hidden_characters_as_code_points_and_who_says_it_first(self) -> None:
        lines = ask(WHY).splitlines()

        assert "- from the record: Apixaban was stopped because of a ⟨U+001B⟩[2Jbleed⟨U+202E⟩." in lines

    def test_as_json_keeps_them_as_escapes(self) -> None:
        printed = ask("--json", WHY)

        assert "\x1b" not in printed
        assert "\u202e" not in printed
        quotes = [one["text"] for one in json.loads(printed)["sentences"] if one["by"] == "quote"]
        assert quotes == ["Apixaban was stopped because of a \x1b[2Jbleed\u202e."]

    def test_not_documented_says_what_is_held_back(self) -> None:
        take_in({"resourceType": "Observation", "id": "bad", "status": "final"})
        said = ask("What was the last serum lithium?")

        assert "Status: not_documented" in said
        assert "Held back: 0 not assigned to a patient, 1 in quarantine, 0 not yet applied." in said
