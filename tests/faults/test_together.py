"""Jobs worked through in groups: the same ledger and the same record as one by one, whatever stands in them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from clinical.models import FactRow, Patient, PatientIdentifier, PatientSearchTerm, ResourceVersion
from ingestion import pipeline, together
from ingestion.conservation import conservation
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.receive import Arrival, receive_many
from ingestion.selectors import held_back
from ingestion.steps.take_in import take_in
from ingestion.together import run_together
from tests.factories import LIMITS, NOON, bundle, noon, note, observation, patient
from tests.unit.mllp_sender import ADMITTED, MEASURED, message

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
MERGED = ("ADT^A40^ADT_A39", ("EVN|A40|20260301", "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA", "MRG|{order}^^^WARD^MR"))
OTHER = (MEASURED[0], ("PID|1||{number}^^^WARD^MR||OTHER^BERT||19991231|M", *MEASURED[1][1:]))
NOT_MAPPED = ("MFN^M02^MFN_M02", ("MFI|STF",))


class UndoneError(Exception):
    """Take back what this run has written."""


def arrive(*contents: bytes | dict[str, Any]) -> list[int]:
    raw = [json.dumps(one).encode() if isinstance(one, dict) else one for one in contents]
    return receive_many([Arrival(one, "message", "mllp:WEST") for one in raw], now=NOON)


def work_together(ids: list[int]) -> None:
    while ids := pipeline.due(NOON):
        for one in run_together(ids, limits=LIMITS, clock=noon):
            pipeline.run(one, limits=LIMITS, clock=noon, wake=False)


def work_one_by_one(ids: list[int]) -> None:
    for one in ids:
        pipeline.run(one, limits=LIMITS, clock=noon, wake=False)


def mixture(chance: random.Random) -> list[bytes | dict[str, Any]]:
    """Messages of few people and few results, so that each meets others about the same thing."""

    def person() -> str:
        return str(1000 + chance.randrange(4))

    kinds: list[Callable[[], bytes | dict[str, Any]]] = [
        lambda: message(ADMITTED, control=str(chance.random()), number=person()),
        *[lambda: result(person(), "F")] * 4,
        lambda: result(person(), "C"),
        lambda: result(person(), "P"),
        lambda: result(person(), "F", processing="T"),
        lambda: message(OTHER, control="x", number=person(), order=str(chance.randrange(6))),
        lambda: message(NOT_MAPPED, control="y"),
        lambda: message(MERGED, control="z", number=person(), order=person()) if chance.random() < 0.3 else b"MSH|^",
        lambda: observation(f"k{chance.randrange(5)}", subject=f"p{chance.randrange(3)}", value=chance.randrange(9)),
        lambda: note("Cough.", logical_id=f"n{chance.randrange(3)}", subject=f"p{chance.randrange(3)}"),
        lambda: patient(f"p{chance.randrange(3)}", birthDate=chance.choice(["1961-04-02", "1999-12-31"])),
        lambda: observation("lost", subject="") | {"subject": {}},
        lambda: bundle(observation("k1", subject="p1"), patient("p1"), observation("bad") | {"status": "?"}),
    ]

    def result(number: str, status: str, **more: str) -> bytes:
        order, sent = str(chance.randrange(6)), f"2026030112{chance.randrange(60):02d}00+0000"
        return message(MEASURED, control=sent, number=number, order=order, status=status, sent=sent, **more)

    found = [chance.choice(kinds)() for _ in range(40)]
    return [*found, *chance.sample(found, 10)]


def outcome() -> dict[str, Any]:
    """Everything that a run has left behind, without the ids that differ from run to run."""
    people = {one.pk: sorted(one.identifiers.values_list("authority", "value_digest")) for one in Patient.objects.all()}
    jobs = IngestJob.objects.order_by("pk")
    names = ("state", "received", "stored", "unchanged", "superseded", "unassigned", "quarantined", "cursor")
    versions = ResourceVersion.objects.values_list(
        "server", "resource_type", "logical_id", "number", "sha256", "is_current", "deleted", "patient_id"
    )
    return {
        "jobs": [tuple(getattr(job, name) for name in names) for job in jobs],
        "versions": sorted((*row[:-1], str(people.get(row[-1]))) for row in versions),
        "facts": sorted(FactRow.objects.values_list("version__logical_id", "version__sha256", "ordinal", "kind")),
        "terms": sorted(
            (str(people[row[0]]), row[1]) for row in PatientSearchTerm.objects.values_list("patient", "digest")
        ),
        "people": sorted(map(str, people.values())),
        "unassigned": sorted(UnassignedItem.objects.values_list("ordinal", "position", "reason", "resolution")),
        "quarantined": sorted(QuarantinedItem.objects.values_list("ordinal", "position", "reason", "resolution")),
        "held": held_back(),
    }


def left_by(work: Callable[[list[int]], None], contents: list[bytes | dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        with transaction.atomic():
            work(arrive(*contents))
            found = outcome()
            assert conservation().holds
            raise UndoneError
    except UndoneError:
        return found


@pytest.mark.parametrize("seed", range(5))
def test_a_group_leaves_what_one_by_one_leaves(seed: int) -> None:
    contents = mixture(random.Random(seed))  # noqa: S311 - no secret

    one_by_one, in_groups = left_by(work_one_by_one, contents), left_by(work_together, contents)

    for name, expected in one_by_one.items():
        assert in_groups[name] == expected, name
    assert {state for state, *_ in in_groups["jobs"]} == {"done"}


def results(count: int) -> list[bytes]:
    return [message(MEASURED, control=f"c{n}", order=str(n), number=str(1000 + n % 3)) for n in range(count)]


def test_a_group_is_one_commit(django_assert_max_num_queries: Any) -> None:
    ids = arrive(*results(30))

    with django_assert_max_num_queries(4 * 30):
        assert run_together(ids, limits=LIMITS, clock=noon) == []

    assert set(IngestJob.objects.values_list("state", flat=True)) == {"done"}


def test_a_worker_that_dies_in_a_group_leaves_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = arrive(*results(10))
    counted: list[int] = []

    def dies(*given: Any, **more: Any) -> None:
        if len(counted) == 5:
            raise KeyboardInterrupt
        counted.append(1)
        finishing(*given, **more)

    finishing = together._finish
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(together, "_finish", dies)
        run_together(ids, limits=LIMITS, clock=noon)
    assert not ResourceVersion.objects.exists()
    assert not IngestJob.objects.filter(received__gt=0).exists()

    IngestJob.objects.update(lease_until=None)  # it has run out
    work_together(ids)

    assert conservation().holds
    assert ResourceVersion.objects.filter(resource_type="Observation").count() == 10
    assert set(IngestJob.objects.values_list("attempts", flat=True)) == {2}  # each by itself the second time


def test_one_that_cannot_be_stored_takes_nobody_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(job: IngestJob, *given: Any, **more: Any) -> Any:
        if job.pk == ids[3]:
            raise ValueError
        return take_in(job, *given, **more)

    ids = arrive(*results(6))
    monkeypatch.setattr("ingestion.together.take_in", refuses)

    work_together(ids)

    assert [job.state for job in IngestJob.objects.all()] == ["done"] * 6
    assert ResourceVersion.objects.filter(resource_type="Observation").count() == 6


def test_a_job_that_another_worker_has_is_left_to_it() -> None:
    ids = arrive(*results(3))
    IngestJob.objects.filter(pk=ids[1]).update(state="running", lease_until=timezone.now(), attempts=1)

    assert run_together(ids, limits=LIMITS, clock=noon) == []

    assert [job.state for job in IngestJob.objects.order_by("pk")] == ["done", "running", "done"]


def test_people_are_registered_once_though_each_message_names_them_twice() -> None:
    work_together(arrive(*results(9)))

    assert Patient.objects.count() == 3
    assert PatientIdentifier.objects.count() == len(
        set(PatientIdentifier.objects.values_list("value_digest", flat=True))
    )


@pytest.mark.parametrize("work", [work_one_by_one, work_together])
def test_what_is_held_back_counts_once_though_its_jobs_end_in_the_wrong_order(
    work: Callable[[list[int]], None],
) -> None:
    raw = message(MEASURED, processing="T")
    first, second = arrive(raw, raw)
    work_one_by_one([second])  # the worker of the first was killed

    work([first])

    assert held_back() == (IngestJob.objects.get(pk=second).unassigned, 0)
    assert conservation().holds
