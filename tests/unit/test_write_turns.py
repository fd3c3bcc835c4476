"""Writers of a SQLite file take turns: first come, first served; and nobody waits for the dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median

import pytest

from appliance.sqlite.turns import Turns

_HAMMER = """
import sys, time
from pathlib import Path
from appliance.sqlite.turns import Turns
log, turns = Path(sys.argv[1]).with_suffix(".log"), Turns(Path(sys.argv[1]), bulk=sys.argv[2] == "bulk")
with log.open("ab", buffering=0) as out:
    while turns.take():
        out.write(b".")
        time.sleep(float(sys.argv[3]))
        turns.give_back()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "record.sqlite3"


def hammer(database: Path, kind: str, seconds: float) -> subprocess.Popen[bytes]:
    """Start a process that takes turn after turn, each so long; returns when it has had one."""
    child = subprocess.Popen([sys.executable, "-c", _HAMMER, str(database), kind, str(seconds)])
    limit = time.monotonic() + 30
    while not turns_had(database):
        assert child.poll() is None and time.monotonic() < limit
        time.sleep(0.01)
    return child


def turns_had(database: Path) -> int:
    log = database.with_suffix(".log")
    return log.stat().st_size if log.exists() else 0


def test_threads_get_their_turn_in_the_order_they_came(database: Path) -> None:
    turns, order = Turns(database), []
    assert turns.take()

    def write(number: int) -> None:
        assert turns.take()
        order.append(number)
        turns.give_back()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=write, args=(number,)))
        threads[-1].start()
        while len(turns._line._waiting) <= number:
            time.sleep(0.001)
    turns.give_back()
    for one in threads:
        one.join()
    assert order == list(range(8))


def test_who_waits_gets_in_before_who_comes_again(database: Path) -> None:
    turns = Turns(database)
    child = hammer(database, "bulk", 0.02)
    passed = []
    try:
        for _ in range(15):
            before = turns_had(database)
            assert turns.take()
            passed.append(turns_had(database) - before)
            turns.give_back()
    finally:
        child.kill()
        child.wait()
    assert median(passed) <= 1


def test_of_bulk_work_one_at_most_stands_before_a_door(database: Path) -> None:
    turns = Turns(database)
    children = [hammer(database, "bulk", 0.02) for _ in range(3)]
    passed = []
    try:
        for _ in range(15):
            before = turns_had(database)
            assert turns.take()
            passed.append(turns_had(database) - before)
            turns.give_back()
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert median(passed) <= 1


def test_a_killed_process_gives_its_turn_up(database: Path) -> None:
    child = hammer(database, "door", 60)
    waiting = Turns(database, patience_s=30)
    threading.Timer(0.3, child.kill).start()
    assert waiting.take()
    waiting.give_back()
    child.wait()


def test_who_has_waited_long_enough_goes_on_without_a_turn(database: Path) -> None:
    child = hammer(database, "door", 60)
    try:
        waiting = Turns(database, patience_s=0.2)
        began = time.monotonic()
        assert not waiting.take()
        assert time.monotonic() - began >= 0.2
    finally:
        child.kill()
        child.wait()
    assert waiting.take()
    waiting.give_back()


def test_within_a_process_too_patience_ends(database: Path) -> None:
    turns = Turns(database, patience_s=0.1)
    assert turns.take()
    assert not turns.take()
    turns.give_back()
    assert turns.take()


def test_where_the_file_cannot_be_opened_there_is_no_turn_and_no_error(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "missing" / "record.sqlite3")
    assert not turns.take()
    assert not turns.take()  # and the next one does not wait for it
