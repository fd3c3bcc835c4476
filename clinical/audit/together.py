"""Writes that wait are made together, by one thread at a time: one transaction in place of one each.

Whoever comes while nobody writes does so at once. Who comes meanwhile waits; when the writing is over, the first of
them writes all that waits by then. So a write takes what is left of the one under way and one more, however many there
are, and nobody waits for a turn only to find his write made: with a plain lock that took as long as several more
writes, since those who came later got the lock as often as those who had waited for it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")


def _closed() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item]):
    """An item on its way, and what became of it. The gate opens when it is written, failed, or leads."""

    item: Item
    gate: threading.Lock = field(default_factory=_closed)
    leads: bool = False
    error: BaseException | None = None


class Together(Generic[Item]):
    """Collects what the threads of this process want written."""

    def __init__(self, write: Callable[[Sequence[Item]], None]) -> None:
        """Remember how to write.

        Args:
            write: writes all of the items or, where it raises, none. It is called by one thread at a time, never with
                an empty sequence, and again with each item alone where several could not be written.
        """
        self._write = write
        self._guard = threading.Lock()
        self._led = False
        self._waiting: deque[_Waiting[Item]] = deque()

    def add(self, item: Item) -> None:
        """Return when the item is written.

        Raises:
            whatever `write` raises for this item; RuntimeError where the thread that wrote it was ended meanwhile.
        """
        mine = _Waiting(item)
        with self._guard:
            mine.leads, self._led = not self._led, True
            if not mine.leads:
                self._waiting.append(mine)
        if not mine.leads:
            self._wait(mine)
        if mine.leads:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error

    def waiting(self) -> int:
        """Return how many wait for the write under way."""
        return len(self._waiting)

    def _wait(self, mine: _Waiting[Item]) -> None:
        try:
            mine.gate.acquire()
        except BaseException:  # this thread is being ended; whom it would have led is led by the next
            with self._guard:
                if mine in self._waiting:
                    self._waiting.remove(mine)
            if mine.leads:
                self._hand_on()
            raise

    def _lead(self, mine: _Waiting[Item]) -> None:
        with self._guard:
            batch = [mine, *self._waiting]
            self._waiting.clear()
        try:
            self._write_each(batch)
        except BaseException:  # this thread is being ended: the others must not take theirs for written
            for one in batch:
                one.error = one.error or RuntimeError("the write was not made")
            raise
        finally:
            self._hand_on()
            for one in batch[1:]:
                one.gate.release()

    def _write_each(self, batch: Sequence[_Waiting[Item]]) -> None:
        """Write all at once; where that fails, each by itself, so that each learns its own fate."""
        try:
            self._write([one.item for one in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:
                try:
                    self._write([one.item])
                except Exception as alone:
                    one.error = alone

    def _hand_on(self) -> None:
        with self._guard:
            self._led = bool(self._waiting)
            if not self._waiting:
                return
            following = self._waiting.popleft()
            following.leads = True
        following.gate.release()
