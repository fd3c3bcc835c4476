"""Whose turn it is to write to a SQLite file, between the threads and the processes of this box.

SQLite has one writer at a time and no queue: whoever finds it busy sleeps, longer each time, up to 100 ms, and whoever
comes at the right moment is first. With fifty streams that write beside an ingest, some waited for twenty seconds and
then failed. So writers queue here before they ask SQLite:

- the threads of a process in the order they came;
- the processes by a file beside the database of which each locks a byte. Who waits for the byte HAVE holds NEXT, so
  that nobody who comes later, or comes again, gets in between;
- bulk work (`stand_back`) holds BULK before it asks for NEXT: of all that ingest, one at most stands among doors.

The queue decides the order only. SQLite's own lock decides who writes; a writer whose turn does not come within his
seconds asks SQLite without it, and so does one that cannot open the file. A process that dies gives its bytes up.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

HAVE, NEXT, BULK = range(3)
SUFFIX: Final = "-turns"
PATIENCE_S: Final = 20.0
_SHORTEST_S, _LONGEST_S = 0.0002, 0.002


class _Line:
    """A lock that is handed to whoever waits longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def enter(self, seconds: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=max(seconds, 0.0)):
            return True
        with self._guard:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return False
        return True  # it was handed over in the last moment

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class Turns:
    """The queue of one database file, as this process sees it; use one object a file and process.

    Locks of bytes belong to the process: a second object for the same file would let go what the first one holds.
    """

    def __init__(self, database: Path, *, bulk: bool = False, patience_s: float = PATIENCE_S) -> None:
        """Remember the file; nothing is opened.

        Args:
            database: the SQLite file.
            bulk: whether this process stands back for doors.
            patience_s: longest wait for a turn, in seconds.
        """
        self._path = database.with_name(database.name + SUFFIX)
        self._bulk = bulk
        self._patience_s = patience_s
        self._line = _Line()
        self._file: int | None = None

    def take(self) -> bool:
        """Wait for the turn; returns whether it came. If so, `give_back` must follow, from whatever thread."""
        limit = time.monotonic() + self._patience_s
        if not self._line.enter(self._patience_s):
            return False
        taken = False
        try:
            taken = all(self._lock(byte, limit) for byte in self._order)
        except OSError:
            return False
        finally:
            if taken:
                self._unlock(NEXT)
            else:
                self._leave()
        return taken

    def give_back(self) -> None:
        """Let the next one write."""
        self._leave()

    @property
    def _order(self) -> tuple[int, ...]:
        return (BULK, NEXT, HAVE) if self._bulk else (NEXT, HAVE)

    def _leave(self) -> None:
        try:
            for byte in (NEXT, HAVE, BULK):
                self._unlock(byte)
        finally:
            self._line.leave()

    def _lock(self, byte: int, limit: float) -> bool:
        """Lock a byte; returns False when the time is over.

        Raises:
            OSError: the file cannot be opened or locked.
        """
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        pause = _SHORTEST_S
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except (BlockingIOError, PermissionError):  # another process has it
                if time.monotonic() > limit:
                    return False
                time.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_S)
            else:
                return True

    def _unlock(self, byte: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)


_of_process: dict[Path, Turns] = {}
_making = threading.Lock()
_bulk = False


def stand_back() -> None:
    """Let this whole process stand back for doors, from its next write on; a worker or a command calls it."""
    global _bulk
    _bulk = True
    _forget()


def turns_of(database: Path) -> Turns:
    """Return this process's queue for a database file."""
    with _making:
        if database not in _of_process:
            _of_process[database] = Turns(database, bulk=_bulk)
        return _of_process[database]


def _forget() -> None:
    """Begin anew: a child of this process has neither its threads nor its locks."""
    global _making
    _making = threading.Lock()
    _of_process.clear()


os.register_at_fork(after_in_child=_forget)
