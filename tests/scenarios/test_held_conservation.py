"""The ledger's equation: exact over any mixture of files and interruptions, and a broken row is named."""

from __future__ import annotations

import io
import json
import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from clinical.identity.services import find_by_fhir_id
from ingestion import pipeline
from ingestion.conservation import conservation
from ingestion.domain.items import ParseContext
from ingestion.held.assign import assign, undo
from ingestion.held.replay import dismiss, replay
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.receive import receive
from tests.erasing import erased
from tests.factories import LIMITS, NOON, bundle, observation, patient, take_in
from tests.scenarios.test_held_assign import WHY, person

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
BAD = {"resourceType": "Observation", "id": "bad", "status": "final"}


class KilledError(BaseException):
    """What a killed worker is to the code it ran: it ends anywhere, and nothing is tidied up."""


def arrived(content: dict[str, Any], feed: str = "files", now: datetime = NOON) -> IngestJob:
    data = io.BytesIO(json.dumps(content).encode())
    return receive(data, name="file", feed=feed, context=ParseContext(), now=now, wake=False)


def nobodys(logical_id: str) -> dict[str, Any]:
    one = observation(logical_id)
    del one["subject"]
    return one


def command(*arguments: str) -> tuple[int, dict[str, Any]]:
    out, code = io.StringIO(), 0
    try:
        call_command("conservation", "--json", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    return code, json.loads(out.getvalue())


def test_each_door_and_minute_is_listed_with_what_waits() -> None:
    take_in(bundle(patient(), observation(), BAD, nobodys("n")))
    later = arrived(bundle(observation("k2")), feed="mllp", now=NOON + timedelta(seconds=90))

    code, found = command()

    assert (code, found["holds"]) == (0, True)
    assert [(one["door"], one["minute"]) for one in found["minutes"]] == [
        ("mllp", "2026-03-01T12:01:00+00:00"),
        ("files", "2026-03-01T12:00:00+00:00"),
    ]
    waiting, done = found["minutes"]
    assert (waiting["waiting"], waiting["received"]) == (1, 0)
    assert (done["received"], done["applied"], done["unassigned"], done["quarantined"]) == (4, 2, 1, 1)
    assert found["total"]["jobs"] == 2
    assert later.state == "received"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"stored": 1}, "lost"),
        ({"stored": 3}, "counted-twice"),
        ({"cursor": 3}, "cursor"),
        ({"unassigned": 0, "stored": 3}, "unassigned-rows"),
        ({"quarantined": 0, "stored": 3}, "quarantined-rows"),
    ],
)
def test_a_row_broken_by_hand_is_reported(change: dict[str, int], fault: str) -> None:
    job = take_in(bundle(patient(), observation(), BAD, nobodys("n")))
    assert command()[0] == 0

    IngestJob.objects.filter(pk=job.pk).update(**change)
    code, found = command()

    assert (code, found["holds"]) == (1, False)
    assert [(one["job"], one["faults"]) for one in found["broken"]] == [(job.pk, [fault])]


def test_a_held_row_that_vanished_is_reported() -> None:
    job = take_in(bundle(patient(), nobodys("n")))
    UnassignedItem.objects.all().delete()

    assert [(one.job, one.faults) for one in conservation().broken] == [(job.pk, ("unassigned-rows",))]


def test_two_errors_that_make_up_for_each_other_are_both_named() -> None:
    one, other = take_in(bundle(patient(), observation())), take_in(bundle(observation("k2"), observation("k3")))
    IngestJob.objects.filter(pk=one.pk).update(stored=1)
    IngestJob.objects.filter(pk=other.pk).update(stored=3)

    found = conservation()

    assert found.total.difference == 0
    assert not found.holds
    assert [broken.job for broken in found.broken] == [one.pk, other.pk]


def test_an_erasure_leaves_the_equation_whole() -> None:
    take_in(bundle(patient(), observation(), nobodys("n")))
    take_in(bundle(patient(), patient("omar"), BAD | {"subject": {"reference": "Patient/amina"}}))

    erased("amina")

    assert conservation().holds
    assert set(IngestJob.objects.values_list("error", flat=True)) == {"original-erased", "original-rewritten"}


@pytest.mark.parametrize("seed", range(6))
def test_any_mixture_with_kills_and_decisions_keeps_it(seed: int) -> None:
    """Files that repeat, correct and break each other; workers killed at random places; people who decide."""
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    take_in(bundle(patient()))
    amina = find_by_fhir_id("amina")
    assert amina is not None
    operator, officer = person("operator"), person("privacy")
    made = [_some_file(chance, number) for number in range(10)]
    with patch.object(pipeline, "BATCH_ITEMS", 2):
        for content in made + chance.sample(made, 4):
            job = arrived(content, feed=chance.choice(["files", "mllp"]))
            _work_with_kills(job, chance)
            assert conservation().holds
            waiting = list(UnassignedItem.objects.filter(resolved_at=None).values_list("pk", flat=True))
            if waiting and chance.random() < 0.5:
                assign(waiting[:2], amina.id, why=WHY, by=officer)
            assigned = UnassignedItem.objects.filter(resolution="assigned").first()
            if assigned and chance.random() < 0.4:
                undo(assigned.pk, why="wrong-patient", by=officer)
            if chance.random() < 0.3:
                refused = list(QuarantinedItem.objects.filter(resolved_at=None).values_list("pk", flat=True))
                dismiss(QuarantinedItem, refused[:1], why="duplicate", by=operator)
            assert conservation().holds
    for job in replay(QuarantinedItem.objects.all(), UnassignedItem.objects.all(), by=operator):
        _work_with_kills(job, chance)
    found = conservation()
    assert found.holds
    assert found.total.received > 0
    assert found.total.waiting == found.total.running == found.total.failed == 0


def _some_file(chance: random.Random, number: int) -> dict[str, Any]:
    kinds: list[Callable[[], dict[str, Any]]] = [
        lambda: observation(f"o{chance.randrange(8)}", value=chance.randrange(3, 7)),
        lambda: nobodys(f"n{chance.randrange(8)}"),
        lambda: BAD | {"id": f"bad{number}"},
        patient,
    ]
    return bundle(*(chance.choice(kinds)() for _ in range(chance.randrange(1, 9))))


def _work_with_kills(job: IngestJob, chance: random.Random) -> None:
    """Work a job through with workers that are killed: in a batch's transaction, or just after it."""
    counted, committed = pipeline._count, pipeline._commit_together

    def count(*given: Any, **more: Any) -> None:
        if chance.random() < 0.3:
            raise KilledError
        counted(*given, **more)

    def commit(*given: Any, **more: Any) -> None:
        committed(*given, **more)
        if chance.random() < 0.2:
            raise KilledError

    later = NOON
    for _ in range(200):
        later += timedelta(hours=1)  # the lease of the killed one has run out
        IngestJob.objects.filter(pk=job.pk).update(attempts=0)  # a job is given up after twenty
        try:
            with patch.object(pipeline, "_count", count), patch.object(pipeline, "_commit_together", commit):
                pipeline.run(job.pk, limits=LIMITS, clock=partial(_at, later), wake=False)
        except KilledError:
            assert conservation().holds
        else:
            return
    pytest.fail("the job never came to its end")


def _at(moment: datetime) -> datetime:
    return moment
