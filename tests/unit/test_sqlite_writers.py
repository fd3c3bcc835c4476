"""A connection to SQLite holds the turn as long as it may hold SQLite's lock, and not longer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from django.db import connections, transaction
from django.db.utils import OperationalError

from appliance.sqlite.base import DatabaseWrapper
from appliance.sqlite.turns import turns_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.sqlite.turns import Turns

pytestmark = pytest.mark.django_db
CREATE = "CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.sqlite3"


@pytest.fixture
def made(file: Path) -> Iterator[DatabaseWrapper]:
    one = connections["some"] = connect(file)
    with one.cursor() as cursor:
        cursor.execute(CREATE)
    yield one
    one.close()
    del connections["some"]


def connect(file: Path, timeout: float = 20.0) -> DatabaseWrapper:
    settings = {
        "NAME": file, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False,
        "TIME_ZONE": None, "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "TEST": {},
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": timeout},
    }  # fmt: skip
    return DatabaseWrapper(settings, alias="some")


def is_free(turns: Turns) -> bool:
    return not turns._line._taken


def insert(connection: DatabaseWrapper, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO kept (number) VALUES (%s)", [number])


def test_a_transaction_is_a_turn(made: DatabaseWrapper, file: Path) -> None:
    turns = turns_of(file)
    assert is_free(turns)
    with transaction.atomic("some"):
        assert not is_free(turns)
        insert(made, 1)
        with transaction.atomic("some"):
            insert(made, 2)
        assert not is_free(turns)
    assert is_free(turns)
    with pytest.raises(ZeroDivisionError), transaction.atomic("some"):
        insert(made, 3)
        _ = 1 / 0
    assert is_free(turns)
    with made.cursor() as cursor:
        cursor.execute("SELECT number FROM kept")
        assert [row[0] for row in cursor.fetchall()] == [1, 2]


def test_closing_within_a_transaction_gives_the_turn_back(made: DatabaseWrapper, file: Path) -> None:
    made.ensure_connection()
    made._start_transaction_under_autocommit()
    assert not is_free(turns_of(file))
    made.close()
    assert is_free(turns_of(file))


def test_a_statement_that_writes_alone_waits_for_its_turn_and_reading_does_not(
    made: DatabaseWrapper, file: Path
) -> None:
    turns = turns_of(file)
    assert turns.take()
    with made.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone()[0] == 0
    written = threading.Event()

    def write() -> None:
        other = connect(file)
        insert(other, 1)
        written.set()
        other.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert not written.wait(0.3)
    turns.give_back()
    assert written.wait(10)
    thread.join()
    assert is_free(turns)


def test_a_failed_beginning_gives_the_turn_back(made: DatabaseWrapper, file: Path) -> None:
    stranger = connect(file)  # as a program that does not queue
    with stranger.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        made.ensure_connection()
        with made.cursor() as own:
            own.execute("PRAGMA busy_timeout=50")
        with pytest.raises(OperationalError), transaction.atomic("some"):
            pass
        cursor.execute("ROLLBACK")
    assert is_free(turns_of(file))
    stranger.close()


def test_a_record_in_memory_has_no_turns() -> None:
    memory = connect("file:turnless?mode=memory&cache=shared")  # type: ignore[arg-type]
    memory._take()
    assert memory._turn is None
