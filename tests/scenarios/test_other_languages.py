"""A note in a language that the gate has no rules for may be quoted; nothing is drafted from it."""

from __future__ import annotations

import pytest

from clinical.answering import services
from clinical.answering.events import By, SentenceReady
from clinical.identity.services import find_by_fhir_id
from clinical.ports import backends
from tests.factories import bundle, clinician, noon, note, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def test_a_note_in_another_language_is_quoted_and_never_drafted_from() -> None:
    clinician()
    take_in(
        bundle(
            patient("ana"),
            note(
                "La paciente fue ingresada por dolor torácico. Se suspendió apixaban por una hemorragia digestiva. "
                "Se le explicó que debe volver si tiene fiebre.",
                logical_id="es",
                subject="ana",
            ),
        )
    )
    backends().chat.says = "Apixaban was stopped because of a bleed."  # type: ignore[attr-defined]

    found = find_by_fhir_id("ana")
    assert found is not None
    asked = services.ask(clinician(), found.id, "Why was apixaban stopped?", clock=noon)
    events = list(services.events(asked.id, clinician(), clock=noon))

    assert backends().chat.prompts == []  # type: ignore[attr-defined]  # the scripted model
    assert not [one for one in events if isinstance(one, SentenceReady) and one.by is By.MODEL]
