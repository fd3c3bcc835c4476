"""On PostgreSQL a short write does not wait for the disk either; run with tests/with_postgres.sh."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction

from clinical.cds_hooks.turns import short_write
from clinical.models import UsedToken
from tests.factories import NOON


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL only: tests/with_postgres.sh")


@pytest.mark.django_db(transaction=True)
def test_the_disk_is_waited_for_again_after_the_transaction() -> None:
    before = setting()
    assert short_write(setting) == "off"
    assert setting() == before
    with pytest.raises(ZeroDivisionError):
        short_write(lambda: 1 / 0)
    assert setting() == before


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_of_the_caller_nothing_is_changed() -> None:
    before = setting()
    with transaction.atomic():
        assert short_write(setting) == before


@pytest.mark.django_db(transaction=True)
def test_what_many_threads_write_is_all_there_and_what_fails_leaves_nothing() -> None:
    faults: list[BaseException] = []

    def use(number: int) -> None:
        def write() -> None:
            UsedToken.objects.create(digest=str(number), expires_at=NOON + timedelta(hours=1))
            if number % 4 == 0:
                raise LookupError

        try:
            short_write(write)
        except LookupError:
            pass
        except BaseException as fault:
            faults.append(fault)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert faults == []
    kept = {int(digest) for digest in UsedToken.objects.values_list("digest", flat=True)}
    assert kept == {number for number in range(16) if number % 4}
