"""Writes of hook calls that wait are one transaction; each still has its own result, and its own failure."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from clinical.cds_hooks import turns
from clinical.cds_hooks.turns import short_write
from clinical.models import UsedToken
from tests.factories import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 6


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many writes went into each transaction that was tried."""
    sizes: list[int] = []
    write = turns._write

    def counted(batch: list[turns._Write]) -> None:
        sizes.append(len(batch))
        write(batch)

    monkeypatch.setattr(turns, "_write", counted)
    return sizes


def at_once(work: Callable[[int], object]) -> dict[int, object]:
    """Let several threads write while another one does; returns the result, or the error, of each."""
    came: dict[int, object] = {}
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        def work() -> None:
            begun.set()
            assert go_on.wait(20)

        try:
            short_write(work)
        finally:
            connection.close()

    def call(number: int) -> None:
        try:
            came[number] = short_write(lambda: work(number))
        except LookupError as error:
            came[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert begun.wait(20)
    threads += [threading.Thread(target=call, args=(number,)) for number in range(MANY)]
    for one in threads[1:]:
        one.start()
    limit = time.monotonic() + 20
    while turns._together.waiting() < MANY:
        assert time.monotonic() < limit
        time.sleep(0.002)
    go_on.set()
    for one in threads:
        one.join()
    return came


def use(number: int) -> int:
    UsedToken.objects.create(digest=str(number), expires_at=NOON + timedelta(hours=1))
    return number * number


def kept() -> set[int]:
    return {int(digest) for digest in UsedToken.objects.values_list("digest", flat=True)}


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_written_with_one_transaction_and_each_gets_its_own_result(batches: list[int]) -> None:
    assert at_once(use) == {number: number * number for number in range(MANY)}
    assert kept() == set(range(MANY))
    assert batches == [1, MANY]


@pytest.mark.django_db(transaction=True)
def test_one_that_fails_leaves_nothing_and_takes_nothing_from_the_others(batches: list[int]) -> None:
    def some_fail(number: int) -> int:
        use(number)
        if number % 2:
            raise LookupError
        return number

    came = at_once(some_fail)
    assert {number for number, result in came.items() if isinstance(result, LookupError)} == {1, 3, 5}
    assert kept() == {0, 2, 4}
    assert batches == [1, MANY] + [1] * MANY
