"""Two records that were one person's: merged by a message, and parted again exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError

from clinical.access.services import grant_access
from clinical.answering import services
from clinical.identity.services import find
from clinical.models import (
    Answer,
    AuditEvent,
    FactRow,
    IndexChange,
    PassageRow,
    PassageVector,
    Patient,
    PatientMerge,
    ResourceVersion,
)
from clinical.ports import backends
from clinical.record.index_changes import apply_due
from clinical.record.selectors import facts_of, passages_of, resource_of
from ingestion.models import IngestJob, UnassignedItem
from tests.factories import NOON, clinician, noon, take_in
from tests.unit.mllp_sender import ADMITTED, MEASURED, message

if TYPE_CHECKING:
    from clinical.domain.access import AccessGrant

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WARD = "urn:hl7v2:authority:WARD"
NOTED = (
    "MDM^T02^MDM_T02",
    (
        "EVN|T02|20260301",
        "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
        "TXA|1|PN^Progress note|TX|20260301110000||||||||D{order}|||||AU",
        "OBX|1|TX|||{value}||||||F",
    ),
)
MERGED = (
    "ADT^A40^ADT_A39",
    ("EVN|A40|20260301", "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F", "MRG|{former}^^^WARD^MR"),
)


def send(kind: Any = MEASURED, **values: Any) -> IngestJob:
    return take_in(message(kind, **values), name="message.hl7")


def whose(number: str) -> Patient:
    found = find(WARD, number)
    assert found is not None
    return found


def read(one: Patient) -> AccessGrant:
    return grant_access(clinician(), one.id, action="chart.view", now=NOON)


def potassium(number: str) -> list[str]:
    """Return the values a clinician reads in this patient's record, in order."""
    grant = read(whose(number))
    return sorted(str(fact.row.value.number) for fact in facts_of(grant) if fact.row.kind == "observation")  # type: ignore[union-attr]


def everything(patient: Patient) -> dict[str, Any]:
    """Return what is held of a patient in clear, so that two moments can be compared."""
    rows = ResourceVersion.objects.filter(patient=patient).order_by("pk")
    return {
        "versions": [(row.pk, row.is_current, resource_of(row)) for row in rows],
        "passages": sorted(PassageRow.objects.filter(patient=patient).values_list("id", flat=True)),
        "facts": FactRow.objects.filter(patient=patient).count(),
        "identifiers": sorted(patient.identifiers.values_list("pk", flat=True)),
        "team": sorted(patient.care_team.values_list("user_id", flat=True)),
        "terms": sorted(patient.search_terms.values_list("digest", flat=True)),
    }


def two_people() -> tuple[Patient, Patient]:
    for number, order, value in (("1", "1", "4.1"), ("2", "2", "5.2"), ("3", "3", "3.3")):
        send(ADMITTED, number=number, control=f"a{number}")
        send(number=number, order=order, value=value, control=f"r{number}")
    send(NOTED, number="2", order="7", value="Ankles swollen since Monday.", control="n2")
    return whose("1"), whose("2")


def test_a_merge_moves_the_record_and_nobody_elses() -> None:
    survivor, merged = two_people()
    bystander = everything(whose("3"))

    job = send(MERGED, number="1", former="2", control="m")

    assert (job.received, job.unassigned, job.quarantined) == (2, 0, 0)
    assert whose("2").id == survivor.id
    assert potassium("1") == ["4.1", "5.2"]
    left = everything(merged)
    assert {name: left[name] for name in left if left[name]} == {}
    assert everything(whose("3")) == bystander


def test_the_vectors_follow_without_being_computed_again() -> None:
    survivor, merged = two_people()
    before = PassageVector.objects.filter(patient=merged).count()
    assert before > 0

    send(MERGED, number="1", former="2", control="m")

    assert not IndexChange.objects.exists()
    tenants = {tenant for _, tenant in backends().index.passage_ids()}
    assert survivor.id in tenants
    assert merged.id not in tenants
    assert PassageVector.objects.filter(patient=survivor).count() == before
    grant = read(survivor)
    ids = list(PassageRow.objects.filter(patient=survivor).values_list("id", flat=True))
    assert any("Ankles swollen" in one.text for one in passages_of(grant, ids))


def test_saved_answers_of_both_turn_stale_and_stay_readable() -> None:
    two_people()
    for number in ("1", "2"):
        asked = services.ask(clinician(), whose(number).id, "What is the latest potassium?", clock=noon)
        list(services.events(asked.id, clinician(), clock=noon))
    assert Answer.objects.filter(stale_since=None).count() == 2
    survivor = whose("1")

    send(MERGED, number="1", former="2", control="m")

    assert set(Answer.objects.values_list("stale_reason", flat=True)) == {"merged"}
    assert set(Answer.objects.values_list("question__patient_id", flat=True)) == {survivor.id}


def test_what_comes_later_under_the_former_number_is_the_survivors() -> None:
    survivor, _ = two_people()
    send(MERGED, number="1", former="2", control="m")

    job = send(number="2", order="9", value="6.0", control="late")

    assert job.unassigned == 0
    assert whose("2").id == survivor.id
    assert potassium("1") == ["4.1", "5.2", "6.0"]


def test_undoing_gives_back_exactly_what_came_from_the_other() -> None:
    survivor, merged = two_people()
    before = everything(survivor), everything(merged)
    send(MERGED, number="1", former="2", control="m")
    with_merge = everything(survivor)

    call_command("merge", undo=PatientMerge.objects.get().id, user=operator(), reason="wrong person")
    while apply_due(now=NOON):
        pass

    # The A40 itself said something of the survivor, which stays with him.
    kept = [one for one in with_merge["versions"] if one[0] in {row[0] for row in everything(survivor)["versions"]}]
    assert everything(merged) == before[1]
    after = everything(survivor)
    assert {name: after[name] for name in after if name != "versions"} == {
        name: before[0][name] for name in before[0] if name != "versions"
    }
    assert after["versions"] == kept
    assert (potassium("1"), potassium("2")) == (["4.1"], ["5.2"])
    assert {tenant for _, tenant in backends().index.passage_ids()} == {
        row.patient_id for row in PassageRow.objects.all()
    }


def test_undoing_leaves_later_arrivals_with_the_identifiers_they_name() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m")
    send(number="1", order="10", value="4.4", control="l1")
    send(number="2", order="11", value="5.5", control="l2")
    send(number="2", order="2", value="5.9", status="C", control="l3", sent="20260302120000+0000")

    call_command("merge", undo=PatientMerge.objects.get().id, user=operator(), reason="wrong person")

    assert potassium("1") == ["4.1", "4.4"]
    assert potassium("2") == ["5.5", "5.9"]


def test_a_merge_and_its_undoing_are_on_the_trail() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m")
    call_command("merge", undo=PatientMerge.objects.get().id, user=operator(), reason="wrong person")

    rows = list(AuditEvent.objects.filter(action__in=["patient.merge", "patient.unmerge"]).order_by("seq"))
    assert [(row.action, row.outcome) for row in rows] == [
        ("patient.merge", "STARTED"),
        ("patient.merge", "SUCCESS"),
        ("patient.unmerge", "STARTED"),
        ("patient.unmerge", "SUCCESS"),
    ]
    assert rows[-1].user_id == operator()


def test_the_same_merge_again_changes_nothing_not_even_after_it_was_undone() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m")
    again = send(MERGED, number="1", former="2", control="m")
    assert (again.unchanged, PatientMerge.objects.count()) == (2, 1)

    call_command("merge", undo=PatientMerge.objects.get().id, user=operator(), reason="wrong person")
    send(MERGED, number="1", former="2", control="m")

    assert PatientMerge.objects.filter(undone_at=None).count() == 0
    assert potassium("2") == ["5.2"]


def test_a_merge_of_somebody_unknown_waits_for_a_person() -> None:
    two_people()

    job = send(MERGED, number="1", former="404", control="m")

    assert job.unassigned == 1
    assert UnassignedItem.objects.get().reason == "merge-names-unknown-patient"
    assert not PatientMerge.objects.exists()


def test_a_merge_without_a_former_number_is_quarantined() -> None:
    two_people()

    job = take_in(message((MERGED[0], MERGED[1][:2]), number="1", control="m"), name="message.hl7")

    assert job.quarantined == 1
    assert [item.reason for item in job.quarantine.all()] == ["missing-field"]


def test_merges_are_undone_newest_first_and_by_those_who_may() -> None:
    two_people()
    send(MERGED, number="1", former="2", control="m1")
    send(MERGED, number="3", former="1", control="m2")
    assert potassium("3") == ["3.3", "4.1", "5.2"]
    first, second = PatientMerge.objects.order_by("pk")

    with pytest.raises(CommandError, match="a-later-merge-stands"):
        call_command("merge", undo=first.id, user=operator(), reason="wrong person")
    with pytest.raises(CommandError, match="refused"):
        call_command("merge", undo=second.id, user=clinician().username, reason="wrong person")
    for one in (second, first):
        call_command("merge", undo=one.id, user=operator(), reason="wrong person")

    assert [potassium(number) for number in "123"] == [["4.1"], ["5.2"], ["3.3"]]


def operator() -> str:
    user, _ = User.objects.get_or_create(username="demo-operator")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return user.username
