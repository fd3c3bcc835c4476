"""A person says whose an unassigned item is, takes that back, and the counts hold at every step."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from clinical.domain.access import AccessDeniedError
from clinical.identity.services import find_by_fhir_id
from clinical.models import (
    Answer,
    AnswerCitation,
    AuditEvent,
    CareTeamMember,
    DeletionReceipt,
    FactRow,
    PassageRow,
    Patient,
    Question,
    ResourceVersion,
)
from clinical.ports import backends
from clinical.record.index_changes import apply_due
from clinical.record.merging import merge
from clinical.record.withdrawal import withdrawn_versions
from ingestion.conservation import conservation
from ingestion.held.assign import Done, assign, undo
from ingestion.held.listing import together
from ingestion.held.policy import Acting, DecisionError
from ingestion.models import IngestJob, UnassignedItem
from ingestion.selectors import held_back
from tests.factories import NOON, bundle, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WHY = "identifier-confirmed-by-sender"


@pytest.fixture(autouse=True)
def _strict(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})


def person(role: str, name: str = "") -> Acting:
    user, _ = User.objects.get_or_create(username=name or f"demo-{role}")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return Acting(user, noon)


def known(logical_id: str = "amina", mrn: str = "1") -> Patient:
    """Return a patient known by an identifier of the clinic; his logical id counts in his own file only."""
    take_in(bundle(patient(logical_id, identifier=[{"system": "urn:clinic:mrn", "value": mrn}])))
    found = find_by_fhir_id(logical_id)
    assert found is not None
    return found


def held(*resources: dict[str, Any]) -> list[UnassignedItem]:
    job = take_in(bundle(*resources))
    return list(UnassignedItem.objects.filter(job=job, resolved_at=None).order_by("ordinal"))


def in_effect(who: Patient) -> set[str]:
    rows = ResourceVersion.objects.filter(patient=who, is_current=True, deleted=False)
    return {row.reference for row in rows.exclude(resource_type="Patient")}


def vectors_of(who: Patient) -> int:
    while apply_due(now=NOON):
        pass
    return sum(tenant == who.id for _, tenant in backends().index.passage_ids())


def test_an_assigned_item_is_in_the_record_and_counted_where_it_went() -> None:
    amina, (item,) = known(), held(note("Warfarin was stopped.", subject="elsewhere"))

    assert assign([item.pk], amina.id, why=WHY, by=person("privacy")) == [Done(item.pk, "stored")]

    job = IngestJob.objects.get(pk=item.job_id)
    assert in_effect(amina) == {"DocumentReference/note-1"}
    assert (job.received, job.stored, job.unassigned) == (1, 1, 0)
    assert held_back() == (0, 0)
    assert conservation().holds
    assert vectors_of(amina) > 0


def test_assigning_it_again_changes_nothing() -> None:
    amina, (item,) = known(), held(observation(subject="elsewhere"))
    by = person("privacy")
    first = assign([item.pk], amina.id, why=WHY, by=by)
    versions = ResourceVersion.objects.count()

    assert assign([item.pk], amina.id, why=WHY, by=by) == first
    assert ResourceVersion.objects.count() == versions
    assert conservation().holds


def test_an_item_decided_for_one_is_not_moved_to_another_by_a_second_decision() -> None:
    amina, other, (item,) = known(), known("omar", "2"), held(observation(subject="elsewhere"))
    by = person("privacy")
    assign([item.pk], amina.id, why=WHY, by=by)

    assert assign([item.pk], other.id, why=WHY, by=by) == [Done(item.pk, refused="decided-already")]
    assert in_effect(other) == set()


def test_the_file_sent_again_finds_its_item_held() -> None:
    amina, item = known(), held(observation(subject="elsewhere"))[0]
    assign([item.pk], amina.id, why=WHY, by=person("privacy"))

    again = take_in(bundle(observation(subject="elsewhere")))

    assert (again.received, again.unchanged) == (1, 1)
    assert held_back() == (0, 0)


def test_undoing_takes_it_out_of_record_index_and_answers_and_back_into_the_queue() -> None:
    amina, (item,) = known(), held(note("Warfarin was stopped.", subject="elsewhere"))
    by = person("privacy")
    assign([item.pk], amina.id, why=WHY, by=by)
    version = ResourceVersion.objects.get(patient=amina, resource_type="DocumentReference")
    question = Question.objects.create(patient=amina, user_id="demo-clinician", text=b"", asked_at=NOON)
    answer = Answer.objects.create(
        question=question, outcome="answered", result=b"", draft=b"", audit_id=uuid.uuid4(), finished_at=NOON
    )
    AnswerCitation.objects.create(answer=answer, version_key=version.key)
    assert vectors_of(amina) > 0

    undo(item.pk, why="wrong-patient", by=by)

    job = IngestJob.objects.get(pk=item.job_id)
    answer.refresh_from_db()
    assert in_effect(amina) == set()
    assert vectors_of(amina) == PassageRow.objects.filter(patient=amina).exclude(version__is_current=True).count() == 0
    assert FactRow.objects.filter(version__resource_type="DocumentReference").count() == 0
    assert answer.stale_reason == "deleted"
    assert (job.received, job.stored, job.unassigned) == (1, 0, 1)
    assert held_back() == (1, 0)
    assert conservation().holds
    receipt = DeletionReceipt.objects.get(patient_id=amina.id)
    assert (receipt.reason, receipt.user_id) == ("wrong-patient", by.user.username)
    assert withdrawn_versions(amina.id) == []


def test_after_the_undoing_it_goes_to_the_right_patient_alone() -> None:
    amina, omar, (item,) = known(), known("omar", "2"), held(observation(subject="elsewhere"))
    by = person("privacy")
    assign([item.pk], amina.id, why=WHY, by=by)
    undo(item.pk, why="wrong-patient", by=by)

    assert assign([item.pk], omar.id, why=WHY, by=by) == [Done(item.pk, "stored")]
    assert (in_effect(amina), in_effect(omar)) == (set(), {"Observation/k1"})
    assert conservation().holds


def test_the_version_that_the_wrong_one_replaced_takes_effect_again() -> None:
    first, second = observation(subject="elsewhere", value=4.1), observation(subject="elsewhere", value=6.6)
    amina, older, newer = known(), held(first)[0], held(second)[0]
    by = person("privacy")
    assign([older.pk], amina.id, why=WHY, by=by)
    assign([newer.pk], amina.id, why=WHY, by=by)

    undo(newer.pk, why="wrong-patient", by=by)

    row = ResourceVersion.objects.get(patient=amina, resource_type="Observation", is_current=True)
    assert row.sha256 == ResourceVersion.objects.get(patient=amina, number=1, resource_type="Observation").sha256
    assert not row.deleted
    undo(older.pk, why="wrong-patient", by=by)
    assert in_effect(amina) == set()
    assert conservation().holds


def test_what_stands_in_another_record_is_not_assigned() -> None:
    amina, omar = known(), known("omar", "2")
    item = held(observation(subject="elsewhere"))[0]
    later = held(observation(subject="elsewhere", value=5.0))[0]
    by = person("privacy")
    assign([item.pk], amina.id, why=WHY, by=by)

    assert assign([later.pk], omar.id, why=WHY, by=by) == [Done(later.pk, refused="belongs-to-another-patient")]
    assert held_back() == (1, 0)


def test_after_a_merge_it_is_taken_out_of_the_survivors_record() -> None:
    amina, omar, (item,) = known(), known("omar", "2"), held(observation(subject="elsewhere"))
    by = person("privacy")
    assign([item.pk], amina.id, why=WHY, by=by)
    with transaction.atomic():
        merge(omar, amina, by="feed:test", now=NOON)
    assert in_effect(omar) == {"Observation/k1"}

    undo(item.pk, why="wrong-patient", by=by)

    assert (in_effect(amina), in_effect(omar)) == (set(), set())
    assert assign([item.pk], amina.id, why=WHY, by=by) == [Done(item.pk, refused="merged-meanwhile")]
    assert assign([item.pk], omar.id, why=WHY, by=by) == [Done(item.pk, "stored")]
    assert conservation().holds


def test_all_items_of_one_file_and_of_one_reference_are_found_together() -> None:
    one = held(observation("a", subject="x"), observation("b", subject="x"), observation("c", subject="y"))
    other = held(patient("x"), observation("d", subject="x"))

    chosen = together(one[0])

    assert chosen["item"] == [one[0].pk]
    assert set(chosen["job"]) == {row.pk for row in one}
    assert set(chosen["reference"]) == {one[0].pk, one[1].pk, *(row.pk for row in other)}


def test_a_held_patient_resource_goes_in_first_and_gives_the_name() -> None:
    amina = known()
    items = held(observation("d", subject="x"), patient("x", birthDate="1961-04-02"))

    done = assign([row.pk for row in items], amina.id, why=WHY, by=person("privacy"))

    assert [one.effect for one in done] == ["stored", "stored"]
    assert ResourceVersion.objects.filter(patient=amina, resource_type="Patient", is_current=True).count() == 2


def test_a_clinician_assigns_to_patients_of_his_team_only_and_the_refusal_is_on_the_trail() -> None:
    amina, (item,) = known(), held(observation(subject="elsewhere"))
    by = person("clinician", "dr-other")

    with pytest.raises(AccessDeniedError, match="not-in-care-team"):
        assign([item.pk], amina.id, why=WHY, by=by)
    refused = AuditEvent.objects.get(action="held.assign")
    assert (refused.outcome, refused.user_id, refused.patient_id) == ("DENIED", "dr-other", str(amina.id))

    CareTeamMember.objects.create(patient=amina, user_id="dr-other")
    assert assign([item.pk], amina.id, why=WHY, by=by) == [Done(item.pk, "stored")]
    done = AuditEvent.objects.get(action="held.assign", outcome="SUCCESS")
    assert (done.user_id, done.patient_id, done.detail["reason"]) == ("dr-other", str(amina.id), WHY)


def test_an_operator_assigns_nothing() -> None:
    amina, (item,) = known(), held(observation(subject="elsewhere"))

    with pytest.raises(AccessDeniedError, match="held-words-closed"):
        assign([item.pk], amina.id, why=WHY, by=person("operator"))
    assert held_back() == (1, 0)


def test_words_of_ones_own_are_no_reason() -> None:
    amina, (item,) = known(), held(observation(subject="elsewhere"))

    with pytest.raises(DecisionError, match="unknown-reason"):
        assign([item.pk], amina.id, why="it is Mrs Example", by=person("privacy"))
