"""Short writes of hook calls: those that wait share one transaction, which is not waited for until the disk has it.

A write may have to wait for that of another process, such as an ingest's batch. If each call waited for itself, a few
such waits a second would be more than 50 calls a second leave time for, and the queue would grow without end. So
whoever has the turn writes all that is waiting; the others find theirs done.

What is written here is the id of a token and the cards given. Both survive the death of any process; a power cut may
lose the last moments of them, which costs a "card not known" or a token that could be used again within its hour.
Nothing whose loss matters belongs into a short write: acknowledged messages and the trail wait for the disk.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import connection, transaction

from clinical.audit.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Write:
    """A write on its way, and what it returned."""

    work: Callable[[], Any]
    result: Any = None


def short_write(work: Callable[[], Result]) -> Result:
    """Do a write that is over in milliseconds, in a transaction with others that wait, and return its result.

    Args:
        work: writes through Django's default connection; nothing slow belongs into it. Where the transaction fails it
            is done once more by itself, so what it does may rest on nothing but the database.

    Raises:
        whatever it raises, and django.db.Error: nothing of it was written.
    """
    if connection.in_atomic_block:  # part of the caller's, who alone decides what becomes of it
        with transaction.atomic():
            return work()
    mine = _Write(work)
    _together.add(mine)
    return cast("Result", mine.result)


def _write(batch: Sequence[_Write]) -> None:
    with _not_waited_for(), transaction.atomic():
        if connection.vendor == "postgresql":
            _tell("SET LOCAL synchronous_commit TO off")
        results = [one.work() for one in batch]
    for one, result in zip(batch, results, strict=True):
        one.result = result


_together: Together[_Write] = Together(lambda batch: _write(batch))


@contextmanager
def _not_waited_for() -> Iterator[None]:
    """Let SQLite not wait for the disk at the end of what is done here, and at everything after it again."""
    if connection.vendor != "sqlite":
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
