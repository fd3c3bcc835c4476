"""Which process of this box goes first when not all can run at once: doors before bulk work, machines before people.

A hook has 150 ms beside everything else; an answer that streams has seconds; an ingest or the index has all day. Each
process says itself what it is, so that it counts however it was started. Nothing here is needed for a result to be
right: where the system refuses a priority, work goes on without it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from enum import IntEnum
from pathlib import Path
from typing import Final

from appliance.sqlite import turns


class Place(IntEnum):
    """Niceness of a process (0 to 19; a higher one gets less of a processor that is short).

    Not lower than 10, because who writes holds up everybody else who writes: one that hardly ever got a processor would
    hold SQLite's lock for seconds. What is left of the burden bulk work takes away itself, by resting.
    """

    MACHINES = 0
    PEOPLE = 5
    WORKER = 8
    BULK = 10


BULK_COMMANDS: Final = frozenset({"ingest", "bulk_import", "load_demo", "reconcile", "evaluate", "verify_index"})
"""Management commands that work through much, whoever waits for them."""
SWITCH_S: Final = 0.0005
"""Seconds after which a thread of the people's door lets the next one go on, where Python's own are ten times as long.

Who writes waits for the interpreter anew after each statement. With a dozen threads that check drafts that was 60 ms a
statement, and the database's lock was held meanwhile: transactions of 6 ms of work took half a second.
"""
BUSY: Final = 0.15
"""Share of its time that a process may stand in the queue for a processor before it counts as in the way."""
_REST: Final = 2.0  # seconds of rest for each second in that queue
_LONGEST_REST_S: Final = 0.5
_AUTOGROUP: Final = Path("/proc/self/autogroup")
_SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")
_log = logging.getLogger(__name__)


def take_place(place: Place) -> None:
    """Lower this process's priority to its place; one that was started at a lower one stays there."""
    more = place - os.getpriority(os.PRIO_PROCESS, 0)
    if more > 0:
        try:
            os.nice(more)
        except OSError as error:  # a sandboxed unit may not; there the unit itself names the place (Nice=)
            _log.debug("no priority of its own: %s", type(error).__name__)
    if place >= Place.WORKER:
        turns.stand_back()
        _pace.begin()
    if place is Place.PEOPLE:
        sys.setswitchinterval(SWITCH_S)
    # Where each session has a share of its own, niceness counts within a session only. The session of a door is that
    # of its parent; a command's may be a person's terminal.
    if place > 0 and os.getsid(0) in ({os.getpid()} if place is Place.BULK else {os.getpid(), os.getppid()}):
        try:
            _AUTOGROUP.write_text(str(int(place)))
        except OSError as error:
            _log.debug("no share of the session's own: %s", type(error).__name__)


class _Pace:
    """How long bulk work rests between two batches: not at all on a machine with processors to spare."""

    def __init__(self) -> None:
        self._looked: tuple[float, float] | None = None

    def begin(self) -> None:
        """Rest from now on when the machine is busy."""
        self._looked = (time.monotonic(), _queued_s())

    def rest(self) -> float:
        """Sleep as long as is due for what happened since the last call, and return the seconds."""
        if self._looked is None:
            return 0.0
        began, queued_before = self._looked
        queued, spent = _queued_s() - queued_before, time.monotonic() - began
        due = min(queued * _REST, _LONGEST_REST_S) if queued > BUSY * spent else 0.0
        time.sleep(due)
        self.begin()
        return due


def _queued_s() -> float:
    """Return the seconds that this thread has stood in the queue for a processor; 0 where the system does not say."""
    try:
        return int(_SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


_pace = _Pace()


def rest() -> float:
    """Let others run where this process is in their way; for bulk work between two batches, outside a transaction.

    Returns:
        Seconds slept: 0 in a door, and where processors are to spare.
    """
    return _pace.rest()
