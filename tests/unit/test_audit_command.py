"""The trail on the command line: a report for one patient, and a chain that is walked."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from clinical.answering import services
from clinical.identity.services import find_by_fhir_id
from clinical.models import AuditEvent
from tests.factories import bundle, clinician, noon, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def ask_about_amina() -> None:
    take_in(bundle(patient(), observation(), patient("bruno", gender="male")))
    found = find_by_fhir_id("amina")
    assert found is not None
    question = services.ask(clinician(), found.id, "What is the latest potassium?", clock=noon)
    list(services.events(question.id, clinician(), clock=noon))


def test_a_patients_report_names_who_did_what_and_is_itself_on_the_trail() -> None:
    ask_about_amina()

    rows = json.loads(run("export", "--patient", "amina", "--json"))

    assert [(row["action"], row["outcome"]) for row in rows] == [
        ("question", "STARTED"),
        ("question", "SUCCESS"),
        ("audit.export", "SUCCESS"),
    ]
    assert rows[0]["user"] == "demo-clinician"
    assert json.loads(run("export", "--patient", "bruno", "--json"))[0]["action"] == "audit.export"


def test_the_chain_is_walked_and_the_broken_row_named() -> None:
    ask_about_amina()
    assert json.loads(run("verify", "--json"))["first_broken"] is None

    AuditEvent.objects.filter(seq=1).update(user_id="nobody")

    with pytest.raises(CommandError, match="row 1 "):
        run("verify")
