"""Short writes of a hook call: one thread of this process at a time, and not waited for until the disk has them.

SQLite lets a writer who finds the file locked sleep, longer each time, up to 100 ms; at 50 calls a second these
sleeps were most of a call. Other processes are still waited for by SQLite.

What is written here is the id of a token and the cards given. Both survive the death of any process; a power cut may
lose the last moments of them, which costs a "card not known" or a token that could be used again within its hour.
Nothing whose loss matters belongs into a short write: acknowledged messages and the trail wait for the disk.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

_turn = threading.Lock()


@contextmanager
def short_write() -> Iterator[None]:
    """Hold a transaction that is over in milliseconds; nothing slow belongs into it."""
    with _turn, _not_waited_for(), transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
            _tell("SET LOCAL synchronous_commit TO off")
        yield


@contextmanager
def _not_waited_for() -> Iterator[None]:
    """Let SQLite not wait for the disk at the end of what is done here, and at everything after it again."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    _tell("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        try:
            _tell("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()  # a new connection waits again
            raise


def _tell(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
