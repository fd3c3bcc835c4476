"""A short write does not wait for the disk; whatever comes after it on the same connection does."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from clinical.cds_hooks.turns import short_write

FULL, NORMAL = 2, 1  # PRAGMA synchronous, as SQLite reports it


def level() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite only")


def impossible() -> None:
    _ = 1 / 0


@pytest.mark.django_db(transaction=True)
def test_the_disk_is_waited_for_again_afterwards() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    assert short_write(level) == NORMAL
    assert level() == FULL
    with pytest.raises(ZeroDivisionError):
        short_write(impossible)
    assert level() == FULL


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_of_the_caller_nothing_is_changed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    with transaction.atomic():
        assert short_write(level) == FULL
