"""The states of an ingest job and the moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """Where a job stands."""

    RECEIVED = "received"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


NEXT: Final = {
    # A running job is taken up again when its worker was killed and the lease ran out.
    JobState.RECEIVED: frozenset({JobState.RUNNING}),
    JobState.RUNNING: frozenset({JobState.RUNNING, JobState.DONE, JobState.FAILED}),
    JobState.DONE: frozenset[JobState](),
    JobState.FAILED: frozenset({JobState.RUNNING}),
}
OPEN: Final = frozenset({JobState.RECEIVED, JobState.RUNNING})


class IllegalMoveError(Exception):
    """The table has no such move."""


def advance(current: JobState, target: JobState) -> JobState:
    """Return the target state.

    Raises:
        IllegalMoveError: the job cannot go there from here.
    """
    if target not in NEXT[current]:
        raise IllegalMoveError(f"{current} -> {target}")
    return target
