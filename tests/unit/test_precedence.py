"""Who goes first when a machine is short of processors: doors, then the worker, then commands."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import get_commands

from appliance import precedence
from appliance.precedence import BULK_COMMANDS, BUSY, Place, rest

_TAKE = """
import os, sys
from appliance.precedence import Place, take_place
from appliance.sqlite import turns
for name in sys.argv[1:]:
    take_place(Place[name])
print(os.getpriority(os.PRIO_PROCESS, 0), turns._bulk)
"""


def after(*names: str) -> tuple[int, bool]:
    """Return niceness and whether it stands back of a process that took these places, beyond what this one has."""
    import os

    done = subprocess.run([sys.executable, "-c", _TAKE, *names], capture_output=True, text=True, check=True)
    nice, bulk = done.stdout.split()
    return int(nice) - max(os.getpriority(os.PRIO_PROCESS, 0) - Place[names[-1]], 0), bulk == "True"


@pytest.mark.parametrize(
    ("place", "stands_back"), [("MACHINES", False), ("PEOPLE", False), ("WORKER", True), ("BULK", True)]
)
def test_each_process_takes_its_place(place: str, stands_back: bool) -> None:
    assert after(place) == (Place[place], stands_back)


def test_a_place_once_low_is_not_raised_again() -> None:
    assert after("BULK", "PEOPLE")[0] >= Place.BULK - Place.PEOPLE


def test_a_process_that_may_not_lower_itself_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a unit's sandbox, which refuses the call; the unit names the niceness itself.
    def refused(more: int) -> int:
        raise PermissionError(more)

    monkeypatch.setattr("os.nice", refused)
    before = sys.getswitchinterval()
    try:
        precedence.take_place(Place.PEOPLE)
        assert sys.getswitchinterval() == pytest.approx(precedence.SWITCH_S)
    finally:
        sys.setswitchinterval(before)


def test_doors_come_before_the_worker_and_the_worker_before_commands() -> None:
    assert Place.MACHINES < Place.PEOPLE < Place.WORKER < Place.BULK


def test_the_commands_that_stand_back_exist() -> None:
    assert set(get_commands()) >= BULK_COMMANDS


def test_a_door_never_rests() -> None:
    assert rest() == 0.0


class Machine:
    """A clock, and the time that this thread stood in the queue for a processor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.queued, self.slept = 100.0, 0.0, 0.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.sleep", self.sleep)
        monkeypatch.setattr(precedence, "_queued_s", lambda: self.queued)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    def work(self, seconds: float, *, queued: float) -> None:
        self.now += seconds
        self.queued += queued


def test_bulk_work_rests_in_proportion_to_its_time_in_the_queue_and_not_on_a_free_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine, pace = Machine(monkeypatch), precedence._Pace()
    pace.begin()
    machine.work(0.1, queued=0.1 * BUSY / 2)
    assert pace.rest() == 0.0
    machine.work(0.1, queued=0.05)
    little = pace.rest()
    machine.work(0.2, queued=0.15)
    much = pace.rest()
    assert 0.0 < little < much
    assert machine.slept == pytest.approx(little + much)
    machine.work(60.0, queued=50.0)
    assert pace.rest() == precedence._LONGEST_REST_S


def test_the_system_says_how_long_a_thread_stood_in_the_queue() -> None:
    before = precedence._queued_s()
    assert precedence._queued_s() >= before >= 0.0
