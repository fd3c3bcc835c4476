"""Losing Redis, or killing the worker, in the middle of an ingest loses nothing and doubles nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults.queue_harness import Box, bundle_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES, OBSERVATIONS = 6, 400

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="apt-get install redis-server"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    try:
        yield box
    finally:
        box.stop()


def stored_so_far(box: Box) -> int:
    [(stored,)] = box.rows("SELECT coalesce(sum(stored), 0) FROM ingestion_ingestjob")
    return int(stored)


def all_done(box: Box) -> bool:
    return box.rows("SELECT count(*) FROM ingestion_ingestjob WHERE state != 'done'") == [(0,)]


def check_exact(box: Box) -> None:
    """Every item received is stored once, and the counts say so."""
    whole = FILES * (OBSERVATIONS + 1)
    [counts] = box.rows(
        "SELECT sum(received), sum(stored), sum(unchanged), sum(superseded), sum(unassigned), sum(quarantined) "
        "FROM ingestion_ingestjob"
    )
    assert counts == (whole, whole, 0, 0, 0, 0)
    assert box.rows("SELECT count(*), count(DISTINCT logical_id) FROM clinical_resourceversion") == [(whole, whole)]
    facts = box.rows("SELECT count(*) FROM clinical_factrow WHERE kind = 'observation'")
    assert facts == [(FILES * OBSERVATIONS,)]


def test_killed_workers_and_a_flushed_queue_lose_and_double_nothing(box: Box, tmp_path: Path) -> None:
    box.start_redis()
    worker = box.start_worker()
    box.receive([bundle_file(tmp_path, number, OBSERVATIONS) for number in range(FILES)])
    whole = FILES * (OBSERVATIONS + 1)

    box.wait(lambda: stored_so_far(box) > whole * 0.1, 60)
    box.kill(worker)
    box.flush_redis()
    in_the_middle = stored_so_far(box)
    assert 0 < in_the_middle < whole

    worker = box.start_worker()
    box.wait(lambda: stored_so_far(box) > min(in_the_middle + whole * 0.2, whole * 0.8), 60)
    box.kill(worker)

    box.start_worker()
    box.wait(lambda: all_done(box), 90)
    check_exact(box)


def test_what_arrives_while_redis_is_down_is_taken_in_afterwards(box: Box, tmp_path: Path) -> None:
    box.receive([bundle_file(tmp_path, number, OBSERVATIONS) for number in range(FILES)])
    assert stored_so_far(box) == 0

    box.start_redis()
    box.start_worker()
    box.wait(lambda: all_done(box), 90)
    check_exact(box)
