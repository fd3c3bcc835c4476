"""A message says that two persons are two after all (A37): both records, cards and answers go where they belong.

Source: HL7 v2.8.2 chapter 3, A37 (unlink patient information), sent to take back a merge.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from clinical.answering import services
from clinical.cards import comment_of
from clinical.identity.services import identifier_digest
from clinical.keys import cipher_of
from clinical.models import (
    Answer,
    AnswerCitation,
    AuditEvent,
    CardFeedback,
    CardGiven,
    Handle,
    Patient,
    PatientMerge,
    Question,
    ResourceVersion,
)
from clinical.record.erase import counts_of
from clinical.record.given_since import asked_for
from clinical.record.index_check import compare
from ingestion.models import UnassignedItem
from tests.factories import NOON, clinician
from tests.scenarios.test_v2_merge import MERGED, WARD, everything, potassium, send, two_people, whose

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
PARTED = (
    "ADT^A37^ADT_A37",
    (
        "EVN|A37|20260301",
        "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
        "PID|2||{former}^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
    ),
)


def card(patient: Patient, number: str, comment: str = "", **more: Any) -> CardGiven:
    """A card on a call that named the patient by this number, overridden with a comment."""
    given = CardGiven.objects.create(
        patient=patient,
        service="patient-view",
        issuer="https://ehr.internal/",
        hook_instance="h",
        user_id=clinician().username,
        indicator="info",
        asked_for=asked_for(WARD, identifier_digest(WARD, number)),
        given_at=NOON,
        **more,
    )
    row = CardFeedback(card=given, digest="d", outcome="overridden", outcome_at=NOON, received_at=NOON)
    row.comment = cipher_of(patient).encrypt(comment.encode(), binding=row.binding) if comment else b""
    row.save()
    return given


def answered(patient: Patient, *kinds: tuple[Patient, str]) -> Question:
    """A question with a stored answer that rests on the current resources of these types, by whom they came from."""
    question = Question(patient=patient, user_id=clinician().username, asked_at=NOON)
    cipher = cipher_of(patient)
    question.text = cipher.encrypt(b"Swollen?", binding=f"question {question.id}")
    question.save()
    answer = Answer.objects.create(
        question=question,
        outcome="SUCCESS",
        result=cipher.encrypt(b"{}", binding=f"answer {question.id}"),
        draft=cipher.encrypt(b"{}", binding=f"draft {question.id}"),
        audit_id=uuid4(),
        finished_at=NOON,
    )
    for whose_was, kind in kinds:
        row = ResourceVersion.objects.get(pk__in=CAME[whose_was.pk], resource_type=kind)
        AnswerCitation.objects.create(answer=answer, version_key=row.key)
    return question


CAME: dict[UUID, list[int]] = {}


def test_an_unlink_message_parts_what_a_merge_made_one() -> None:
    first, second = two_people()
    before = everything(second)
    send(MERGED, number="1", former="2", control="m")
    assert potassium("1") == ["4.1", "5.2"]

    job = send(PARTED, number="1", former="2", control="u")

    assert job.stored >= 1
    assert (potassium("1"), potassium("2")) == (["4.1"], ["5.2"])
    assert everything(second)["versions"][: len(before["versions"])] == before["versions"]
    merge = PatientMerge.objects.get()
    assert (merge.undone_by, merge.undo_reason) == ("feed:files", "unlinked by a message")
    assert AuditEvent.objects.filter(action="patient.unmerge", outcome="SUCCESS").count() == 1
    assert whose("1") == first
    assert compare().equal

    again = send(PARTED, number="1", former="2", control="u")
    assert (again.stored, again.unassigned) == (0, 0)


def test_in_the_other_order_too_and_of_nobody_merged_it_waits() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m")
    send(PARTED, number="2", former="1", control="u")
    assert (potassium("1"), potassium("2")) == (["4.1"], ["5.2"])

    send(PARTED, number="3", former="404", control="v")

    assert set(UnassignedItem.objects.values_list("reason", flat=True)) == {"merge-names-unknown-patient"}


def test_an_older_merge_under_a_later_one_waits_for_a_person() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m1")
    send(MERGED, number="1", former="3", control="m2")

    send(PARTED, number="1", former="2", control="u")

    assert UnassignedItem.objects.get().reason == "a-later-merge-stands"
    assert PatientMerge.objects.filter(undone_at=None).count() == 2


def test_cards_move_with_the_record_and_come_back_to_whom_the_call_named() -> None:
    first, second = two_people()
    former = card(second, "2", "He knows.")
    send(MERGED, number="1", former="2", control="m")
    former.refresh_from_db()
    assert former.patient == first
    assert comment_of(former.feedback.select_related("card__patient__data_key").get()) == "He knows."
    on_first, on_second = card(first, "1"), card(first, "2", "Of the second.")
    Handle.objects.create(digest="x", patient=first, user_id="u", expires_at=NOON)

    send(PARTED, number="1", former="2", control="u")

    assert {one.pk for one in CardGiven.objects.filter(patient=first)} == {on_first.pk}
    assert {one.pk for one in CardGiven.objects.filter(patient=second)} == {former.pk, on_second.pk}
    said = {comment_of(one) for one in CardFeedback.objects.select_related("card__patient__data_key")}
    assert said == {"He knows.", "Of the second.", ""}
    assert not Handle.objects.exists()
    assert counts_of(second.id)["card_feedback"] == 2


def test_answers_given_since_go_with_what_they_rest_on_and_none_keeps_the_others_words() -> None:
    first, second = two_people()
    for one in (first, second):
        CAME[one.pk] = list(ResourceVersion.objects.filter(patient=one).values_list("pk", flat=True))
    send(MERGED, number="1", former="2", control="m")
    of_first = answered(first, (first, "Observation"))
    of_second = answered(first, (second, "DocumentReference"), (second, "Observation"))
    of_both = answered(first, (first, "Observation"), (second, "Observation"))
    of_nothing = answered(first)

    send(PARTED, number="1", former="2", control="u")

    owners = {one.pk: one.patient for one in Question.objects.select_related("patient")}
    assert owners == {of_first.pk: first, of_nothing.pk: first, of_second.pk: second}
    assert of_both.pk not in owners
    assert services.text_of(Question.objects.get(pk=of_second.pk)) == "Swollen?"
    assert services.result_of(Answer.objects.get(question=of_second)) == {}
    done = AuditEvent.objects.get(action="patient.unmerge", outcome="SUCCESS")
    assert done.detail["answers_on_both_removed"] == 1
