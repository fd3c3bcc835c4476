"""Group commit: the messages of all connections that wait are written by one thread in one transaction.

A commit waits for the disk, and most of a message's cost is that wait. So whatever has come while one commit was
under way goes into the next, and each sender is answered after the commit that holds his message.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from django.db import Error, close_old_connections, connection

from ingestion.receive import Arrival, receive_many

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

MOST_TOGETHER: Final = 256
MOST_WAITING: Final = 4096
_LOOK_S: Final = 0.5
_STOP: Final = None

logger = logging.getLogger(__name__)


class NotKeptError(Exception):
    """The message is not on disk; what is wrong may pass. The sender has to send it again."""


class GroupWriter:
    """Writes arrivals; `submit` may be called from any thread."""

    def __init__(self, *, clock: Callable[[], datetime], written: Callable[[], None]) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            clock: timezone-aware.
            written: called after each commit, to wake the workers.
        """
        self._clock, self._written = clock, written
        self._waiting: queue.Queue[tuple[Arrival, Future[int]] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="mllp-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, arrival: Arrival) -> Future[int]:
        """Return a future of the job's id; it is set once the message is on disk, or to NotKeptError.

        Raises:
            NotKeptError: too many wait already.
        """
        future: Future[int] = Future()
        try:
            self._waiting.put_nowait((arrival, future))
        except queue.Full:
            raise NotKeptError from None
        return future

    def stop(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(_STOP)
        self._thread.join(30)

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = []
            try:
                first = self._waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            while first is not _STOP:
                batch.append(first)
                if len(batch) >= MOST_TOGETHER:
                    break
                try:
                    first = self._waiting.get_nowait()
                except queue.Empty:
                    break
            ended = first is _STOP
            if batch:
                self._write(batch)
        connection.close()

    def _write(self, batch: list[tuple[Arrival, Future[int]]]) -> None:
        close_old_connections()
        try:
            ids = receive_many([arrival for arrival, _ in batch], now=self._clock())
        except Exception as error:  # whatever it is, each sender is told; a thread that died would keep them waiting
            logger.error("%d messages are not kept (%s)", len(batch), type(error).__name__)  # noqa: TRY400 - may quote
            if isinstance(error, Error):
                connection.close()
            for _, future in batch:
                future.set_exception(NotKeptError())
            return
        for (_, future), job_id in zip(batch, ids, strict=True):
            future.set_result(job_id)
        self._written()
