"""Threads whose writes are made together: who waits, for how long, and what he is told."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from clinical.audit.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SOON_S = 20.0


class Disk:
    """What is written to: each write begins when it is called, and ends when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self._may_end = threading.Semaphore(0)
        self.fault: BaseException | None = None

    def write(self, items: Sequence[str]) -> None:
        self.batches.append(list(items))
        assert self._may_end.acquire(timeout=SOON_S)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault

    def let_end(self, times: int = 1) -> None:
        self._may_end.release(times)


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + SOON_S
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.001)


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def queued(pool: ThreadPoolExecutor, together: Together[str], *items: str) -> list[Future[None]]:
    """Let items wait, one after another."""
    found = []
    for item in items:
        before = together.waiting()
        found.append(pool.submit(together.add, item))
        until(lambda before=before: together.waiting() > before)  # type: ignore[misc]
    return found


def test_what_waits_is_the_next_write_and_is_told_before_the_one_after_it_ends() -> None:
    disk = Disk()
    together: Together[str] = Together(disk.write)
    with threads() as pool:
        first = pool.submit(together.add, "a")
        until(lambda: disk.batches == [["a"]])
        waited = queued(pool, together, "b", "c", "d")
        disk.let_end()
        until(lambda: disk.batches[1:] == [["b", "c", "d"]])
        late = queued(pool, together, "e")
        disk.let_end()
        until(lambda: disk.batches[2:] == [["e"]])
        for one in (first, *waited):
            assert one.result(SOON_S) is None
        assert not late[0].done()
        disk.let_end()
        assert late[0].result(SOON_S) is None
    assert together.waiting() == 0


def test_a_write_that_fails_is_tried_item_by_item() -> None:
    disk = Disk()
    together: Together[str] = Together(disk.write)
    with threads() as pool:
        pool.submit(together.add, "a")
        until(lambda: disk.batches == [["a"]])
        waited = queued(pool, together, "b", "c")
        disk.let_end()
        until(lambda: len(disk.batches) == 2)
        disk.fault = OSError("full")
        disk.let_end(3)
        for one in waited:
            assert one.result(SOON_S) is None
    assert disk.batches == [["a"], ["b", "c"], ["b"], ["c"]]


class Ended(BaseException):
    """A thread that is made to end."""


def test_when_the_thread_that_writes_is_ended_nobody_takes_his_for_written_and_the_next_go_on() -> None:
    disk = Disk()
    together: Together[str] = Together(disk.write)
    with threads() as pool:
        pool.submit(together.add, "a")
        until(lambda: disk.batches == [["a"]])
        leads, led = queued(pool, together, "b", "c")
        disk.let_end()
        until(lambda: len(disk.batches) == 2)
        following = queued(pool, together, "d")
        disk.fault = Ended()
        disk.let_end(2)
        with pytest.raises(Ended):
            leads.result(SOON_S)
        with pytest.raises(RuntimeError, match="not made"):
            led.result(SOON_S)
        assert following[0].result(SOON_S) is None
    assert disk.batches == [["a"], ["b", "c"], ["d"]]


def test_every_item_of_many_threads_is_written_once_and_never_two_writes_at_a_time() -> None:
    written: list[tuple[int, int]] = []
    alone = threading.Lock()

    def write(items: Sequence[tuple[int, int]]) -> None:
        assert alone.acquire(blocking=False)
        written.extend(items)
        time.sleep(0.0002)
        alone.release()

    together: Together[tuple[int, int]] = Together(write)

    def all_of(thread: int) -> None:
        for turn in range(50):
            together.add((thread, turn))
            assert (thread, turn) in written

    with threads() as pool:
        list(pool.map(all_of, range(8)))
    assert sorted(written) == [(thread, turn) for thread in range(8) for turn in range(50)]
    assert together.waiting() == 0
