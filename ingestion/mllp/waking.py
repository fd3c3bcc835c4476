"""Wakes the workers after commits, at most every few milliseconds, from a thread of its own."""

from __future__ import annotations

import threading
from typing import Final

from clinical.ports import backends
from ingestion.receive import DRAIN_TASK

_PAUSE_S: Final = 0.05


class Waker:
    """Turns any number of commits into few messages to the queue; a queue that is down delays nobody."""

    def __init__(self) -> None:
        self._due, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="mllp-waker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def __call__(self) -> None:
        """Say that there is work; returns at once."""
        self._due.set()

    def stop(self) -> None:
        """Wake once more if there is need, then end."""
        self._stopping.set()
        self._due.set()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            backends().wake(DRAIN_TASK, 0)
            if self._stopping.wait(_PAUSE_S):
                return
