"""Asked for interactions, the check's findings are the answer; with none the answer does not say that all is safe."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.answering import services
from clinical.answering.events import SafetyChecked, SentenceReady, Status
from clinical.identity.services import find_by_fhir_id
from tests.factories import bundle, clinician, noon, note, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def order(logical_id: str, text: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": logical_id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/amina"},
        "medicationCodeableConcept": {"text": text},
        "authoredOn": "2026-01-10",
    }


def ask(text: str, *orders: dict[str, Any]) -> list[Any]:
    take_in(bundle(patient(), note("Seen for review. Stable."), *orders))
    found = find_by_fhir_id("amina")
    assert found is not None
    asked = services.ask(clinician(), found.id, text, clock=noon)
    return list(services.events(asked.id, clinician(), clock=noon))


@pytest.mark.parametrize("question", ["Any interactions between her medicines?", "drug interactions?"])
def test_a_finding_is_the_answer_and_cites_both_orders(question: str) -> None:
    events = ask(question, order("w", "Warfarin 4 mg"), order("c", "Clarithromycin 500 mg"))
    shown = [one for one in events if isinstance(one, SentenceReady)]
    assert events[-1].status is Status.ANSWERED
    assert any(isinstance(one, SafetyChecked) for one in events)
    assert {one.span.resource for one in shown[0].citations} == {"MedicationRequest/w", "MedicationRequest/c"}


def test_without_a_finding_nothing_is_called_safe() -> None:
    events = ask("any interactions?", order("m", "Metformin 500 mg"))
    shown = " ".join(one.text for one in events if isinstance(one, SentenceReady))
    assert "names no interaction" in shown or "name no interaction" in shown
    assert "not checked" in shown
    assert "safe" not in shown.lower()


def test_without_any_medicine_it_is_not_documented() -> None:
    assert ask("any interactions?")[-1].status is Status.NOT_DOCUMENTED
