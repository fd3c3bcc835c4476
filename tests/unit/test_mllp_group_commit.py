"""Messages of many senders share a commit, and each is answered after the one that holds his."""

from __future__ import annotations

import threading

import pytest

from ingestion.mllp import writer
from ingestion.mllp.writer import GroupWriter, NotKeptError
from ingestion.receive import Arrival
from tests.factories import noon


def arrival(number: int) -> Arrival:
    return Arrival(f"message {number}".encode(), "message.hl7", "mllp:WEST")


def test_what_waits_while_one_commit_is_under_way_goes_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(arrivals: list[Arrival], **_: object) -> list[int]:
        begun.set()
        assert go_on.wait(10)
        batches.append(len(arrivals))
        return list(range(len(arrivals)))

    woken: list[int] = []
    monkeypatch.setattr(writer, "receive_many", slow)
    group = GroupWriter(clock=noon, written=lambda: woken.append(len(batches)))
    group.start()
    first = group.submit(arrival(0))
    assert begun.wait(10)
    rest = [group.submit(arrival(number)) for number in range(1, 21)]

    assert not first.done()
    go_on.set()

    assert [future.result(10) for future in rest] == list(range(20))
    group.stop()
    assert batches == [1, 20]
    assert woken == [1, 2]


def test_a_commit_that_fails_is_told_to_each_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_arrivals: list[Arrival], **_: object) -> list[int]:
        raise OSError("no space")

    group = GroupWriter(clock=noon, written=lambda: None)
    monkeypatch.setattr(writer, "receive_many", full)
    group.start()
    lost = group.submit(arrival(1))
    with pytest.raises(NotKeptError):
        lost.result(10)
    monkeypatch.setattr(writer, "receive_many", lambda arrivals, **_: [7] * len(arrivals))

    assert group.submit(arrival(2)).result(10) == 7
    group.stop()


def test_more_than_can_wait_are_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 2)
    group = GroupWriter(clock=noon, written=lambda: None)  # not started: nobody takes anything

    for number in range(2):
        group.submit(arrival(number))

    with pytest.raises(NotKeptError):
        group.submit(arrival(3))
