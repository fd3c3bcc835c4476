"""What a clinician reads after results were corrected, withdrawn, came late, or of a patient nobody can tell."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from clinical.access.services import grant_access
from clinical.identity.services import find
from clinical.models import Patient, ResourceVersion
from clinical.record.selectors import facts_of
from ingestion import pipeline
from ingestion.models import IngestJob, UnassignedItem
from tests.factories import LIMITS, NOON, bundle, clinician, noon, observation, patient, take_in
from tests.unit.mllp_sender import ADMITTED, MEASURED, message

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WARD = "urn:hl7v2:authority:WARD"
STATUSES = {"P": ("08", "4.0"), "F": ("09", "4.1"), "C": ("10", "4.3")}


def send(kind: Any = MEASURED, **values: Any) -> IngestJob:
    return take_in(message(kind, **values), name="message.hl7", index=False)


def result(status: str, **values: Any) -> IngestJob:
    hour, value = STATUSES.get(status, ("11", "4.3"))
    return send(control=status, status=status, value=value, sent=f"20260301{hour}0000+0000", **values)


def shown() -> list[tuple[str, str]]:
    found = find(WARD, "1001")
    assert found is not None
    grant = grant_access(clinician(), found.id, action="chart.view", now=NOON)
    rows = [fact.row for fact in facts_of(grant) if fact.row.kind == "observation"]
    return [(str(row.value.number), row.status) for row in rows]  # type: ignore[union-attr]


@pytest.mark.parametrize("order", list(permutations("PFC")))
def test_preliminary_final_and_corrected_end_alike_in_any_order(order: tuple[str, ...]) -> None:
    for status in order:
        result(status)

    assert shown() == [("4.3", "corrected")]


@pytest.mark.parametrize("status", ["W", "D"])
def test_a_result_posted_for_the_wrong_patient_leaves_the_answers(status: str) -> None:
    result("F")
    assert shown() == [("4.1", "final")]

    result(status)

    assert [(number, said) for number, said in shown() if said != "entered-in-error"] == []
    assert (
        ResourceVersion.objects.filter(resource_type="Observation", is_current=True).get().status == "entered-in-error"
    )


def test_the_same_message_many_times_has_one_effect() -> None:
    jobs = [result("F") for _ in range(10)]

    assert [job.stored > 0 for job in jobs] == [True] + [False] * 9
    assert all(job.unchanged == job.received for job in jobs[1:])
    assert shown() == [("4.1", "final")]


def test_nothing_of_a_message_is_taken_in_whose_patient_cannot_be_told() -> None:
    send(ADMITTED)
    other = (MEASURED[0], ("PID|1||1001^^^WARD^MR||OTHER^BERT||19991231|M", *MEASURED[1][1:]))

    job = send(other, control="x", order="9")

    assert (job.stored, job.unassigned) == (0, job.received)
    assert set(UnassignedItem.objects.values_list("reason", flat=True)) == {
        "conflicting-demographics",
        "patient-unassigned",
    }
    assert shown() == []


def test_an_unknown_authority_holds_back_the_whole_message(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:hl7v2:authority:ELSEWHERE"})

    job = send()

    assert job.unassigned == job.received > 1
    assert not Patient.objects.exists()


def test_a_listed_authority_is_enough_though_the_door_is_no_known_server(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({WARD})

    job = send()

    assert job.stored == job.received
    assert shown() == [("4.1", "final")]


def test_an_interrupted_message_still_knows_that_its_patient_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    send(ADMITTED)
    other = (MEASURED[0], ("PID|1||1001^^^WARD^MR||OTHER^BERT||19991231|M", *MEASURED[1][1:]))
    monkeypatch.setattr(pipeline, "BATCH_ITEMS", 1)
    commits = []

    def killed(job: IngestJob, position: int, *rest: Any, **more: Any) -> None:
        if position == 1:
            raise KeyboardInterrupt
        commits.append(position)
        committing(job, position, *rest, **more)

    committing = pipeline._commit
    with monkeypatch.context() as interrupted:
        interrupted.setattr(pipeline, "_commit", killed)
        with pytest.raises(KeyboardInterrupt):
            send(other, control="x", order="9")
    assert commits == [0]
    job = IngestJob.objects.latest("pk")
    IngestJob.objects.filter(pk=job.pk).update(lease_until=None)

    finished = pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)

    assert (finished.stored, finished.unassigned) == (0, finished.received)


@pytest.mark.parametrize("patient_first", [True, False])
def test_a_bundle_of_a_patient_who_cannot_be_told_waits_whole(*, patient_first: bool) -> None:
    take_in(patient(), index=False)
    stranger = patient(birthDate="1999-12-31", name=[{"family": "Other", "given": ["Bert"]}], gender="male")
    results = [observation(f"k{number}") for number in range(70)]

    job = take_in(bundle(*([stranger, *results] if patient_first else [*results, stranger])), index=False)

    assert (job.stored, job.unassigned) == (0, 71)


def test_a_message_not_of_production_waits_whole() -> None:
    job = send(processing="T")

    assert (job.stored, job.unassigned) == (0, job.received)
    assert set(UnassignedItem.objects.values_list("reason", flat=True)) == {"not-production"}
    assert not Patient.objects.exists()
