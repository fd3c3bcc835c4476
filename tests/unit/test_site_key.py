"""The key of what belongs to no patient: one, whoever makes it, and never one that is not held."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from clinical.keys import SITE_KEY_ID, forget_keys, site_cipher
from clinical.models import DataKey


class TakenBackError(Exception):
    """The transaction that made the key ends without it."""


@pytest.mark.django_db
def test_a_key_made_in_a_transaction_that_was_taken_back_is_not_used_again() -> None:
    with pytest.raises(TakenBackError), transaction.atomic():
        site_cipher()
        raise TakenBackError

    sealed = site_cipher().encrypt(b"a name", binding="a job")
    forget_keys()  # as another process, or this one ten minutes later

    assert site_cipher().decrypt(sealed, binding="a job") == b"a name"


@pytest.mark.django_db
def test_a_key_that_was_restored_takes_the_place_of_the_one_before() -> None:
    sealed = site_cipher().encrypt(b"a name", binding="a job")
    first = DataKey.objects.get(id=SITE_KEY_ID)
    DataKey.objects.filter(id=SITE_KEY_ID).delete()
    site_cipher()  # another installation's

    DataKey.objects.filter(id=SITE_KEY_ID).update(wrapped=first.wrapped)

    assert site_cipher().decrypt(sealed, binding="a job") == b"a name"


@pytest.mark.django_db(transaction=True)
def test_processes_that_make_it_at_once_use_one() -> None:
    sealed: list[bytes] = []
    begin = threading.Barrier(4)

    def seals() -> None:
        begin.wait(10)
        try:
            sealed.append(site_cipher().encrypt(b"a name", binding="a job"))
        finally:
            connection.close()

    threads = [threading.Thread(target=seals) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    forget_keys()

    assert [site_cipher().decrypt(one, binding="a job") for one in sealed] == [b"a name"] * 4
