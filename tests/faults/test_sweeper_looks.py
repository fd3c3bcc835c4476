"""What the sweeper finds by itself: an index that lost points, and questions without an end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.answering.services import ask, events
from clinical.answering.stored import as_json
from clinical.audit import trail
from clinical.models import Answer, AuditEvent, IndexChange, Patient
from clinical.ports import backends
from clinical.record.index_changes import apply_due
from clinical.record.index_check import compare
from ingestion.tasks import look_for_losses
from tests.backends import RecordingWake
from tests.factories import NOON, bundle, clinician, noon, note, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)


def outcomes() -> list[str]:
    return list(AuditEvent.objects.filter(action="question").order_by("seq").values_list("outcome", flat=True))


def test_an_emptied_index_is_rebuilt_from_the_record_without_anybody_asking() -> None:
    take_in(bundle(patient(), note("Apixaban was stopped after a bleed.")))
    index = backends().index
    index.delete_passages([one for one, _ in index.passage_ids()])
    assert not compare().equal

    look_for_losses(now=NOON)

    wake = backends().wake
    assert isinstance(wake, RecordingWake)
    assert ("ingestion.index", 0) in wake.sent
    while apply_due(now=NOON):
        pass
    assert compare().equal


def test_an_index_that_is_whole_is_left_alone() -> None:
    take_in(bundle(patient(), note("Apixaban was stopped after a bleed.")))

    look_for_losses(now=NOON)

    assert not IndexChange.objects.exists()


def test_a_question_whose_process_was_killed_is_closed_once_as_interrupted() -> None:
    take_in(bundle(patient(), note("Apixaban was stopped after a bleed.")))
    ask(clinician(), Patient.objects.get().id, "Why was apixaban stopped?", clock=noon)

    look_for_losses(now=NOON + timedelta(minutes=1))
    assert outcomes() == ["STARTED"]
    for minutes in (11, 12):
        look_for_losses(now=NOON + timedelta(minutes=minutes))

    assert outcomes() == ["STARTED", "INTERRUPTED"]
    assert trail.verify().first_broken is None


def test_a_question_closed_by_the_sweeper_is_answered_when_it_is_opened_again() -> None:
    take_in(bundle(patient(), note("Apixaban was stopped after a bleed.")))
    user = clinician()
    question = ask(user, Patient.objects.get().id, "Why was apixaban stopped?", clock=noon)
    look_for_losses(now=NOON + timedelta(minutes=11))

    assert as_json(events(question.id, user, clock=noon))["status"] == "answered"
    assert Answer.objects.get().outcome == "SUCCESS"
    assert outcomes() == ["STARTED", "INTERRUPTED", "SUCCESS"]
