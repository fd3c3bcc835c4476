"""A job that was given up is tried again, by itself after a while and at once when an operator says so."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from clinical.models import ResourceVersion
from ingestion import pipeline, tasks
from ingestion.domain.items import ParseContext
from ingestion.models import IngestJob
from ingestion.receive import receive
from tests.factories import LIMITS, NOON, noon, patient

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
FIRST_PAUSE = timedelta(minutes=10)


def given_up() -> IngestJob:
    """A job whose worker was killed each time it was tried."""
    import json

    data = io.BytesIO(json.dumps(patient()).encode())
    job = receive(data, name="file", feed="files", context=ParseContext(), now=NOON, wake=False)
    IngestJob.objects.filter(pk=job.pk).update(attempts=pipeline.MOST_ATTEMPTS, state="running")
    with pytest.raises(pipeline.NotDueError):
        pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", pipeline.TOO_MANY)
    return job


def try_it(job: IngestJob, now: datetime) -> None:
    pipeline.run(job.pk, limits=LIMITS, clock=lambda: now, wake=False)


def test_once_the_cause_is_gone_it_goes_in() -> None:
    job = given_up()
    assert pipeline.reopen(now=NOON + FIRST_PAUSE / 2) == []

    assert pipeline.reopen(now=NOON + FIRST_PAUSE) == [job.pk]
    assert job.pk in pipeline.due(NOON + FIRST_PAUSE)
    try_it(job, NOON + FIRST_PAUSE)

    job.refresh_from_db()
    assert (job.state, job.error, job.stored) == ("done", "", 1)


def test_each_time_it_fails_again_the_pause_is_twice_as_long() -> None:
    job, now, pauses = given_up(), NOON, []
    for _ in range(12):
        since, step = now, timedelta(minutes=5)
        while not pipeline.reopen(now=now):
            now += step
        pauses.append(now - since)
        pipeline._lease(job.pk, now=now)  # a worker takes it up, and dies
        now += timedelta(minutes=2)
        with pytest.raises(pipeline.NotDueError):
            try_it(job, now)

    assert pauses[:4] == [FIRST_PAUSE * factor for factor in (1, 2, 4, 8)]
    assert pauses[-1] == pipeline.LONGEST_PAUSE
    assert not ResourceVersion.objects.exists()


def test_the_sweeper_does_so_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    job = given_up()
    monkeypatch.setattr(tasks, "_time_to_look", lambda: True)

    tasks.sweep()  # months later

    job.refresh_from_db()
    assert (job.state, job.error) == ("running", pipeline.TRIED_AGAIN)


def test_an_operator_lists_them_and_has_them_tried_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    job = given_up()

    call_command("jobs", "list")
    assert f"job {job.pk} (files): {pipeline.MOST_ATTEMPTS} attempts" in capsys.readouterr().out
    call_command("jobs", "retry")

    assert "1 jobs are tried again" in capsys.readouterr().out
    job.refresh_from_db()
    assert job.state == "running"
