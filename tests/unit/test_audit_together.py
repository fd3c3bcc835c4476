"""Rows of the trail that several threads append at once: one chain, each thread told what became of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connections

from clinical.audit import trail
from clinical.audit.trail import Entry, append, verify
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from uuid import UUID

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THREADS, EACH = 8, 12
pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)


def appended(number: int) -> list[UUID | str]:
    """Append EACH rows from a thread of its own; returns their ids, or the kind of error."""
    found: list[UUID | str] = []
    try:
        for turn in range(EACH):
            try:
                found.append(append(Entry(f"a{number}", "SUCCESS", f"user-{number}", detail={"turn": turn}), now=NOON))
            except OperationalError:
                found.append("refused")
    finally:
        connections.close_all()
    return found


def together() -> list[list[UUID | str]]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(appended, range(THREADS)))


def test_every_row_is_there_once_and_the_chain_holds() -> None:
    ids = [one for thread in together() for one in thread]
    assert len(set(ids)) == THREADS * EACH
    assert set(AuditEvent.objects.values_list("id", flat=True)) == set(ids)
    found = verify()
    assert (found.rows, found.first_broken) == (THREADS * EACH, None)


def test_each_threads_rows_keep_their_order() -> None:
    together()
    for number in range(THREADS):
        rows = AuditEvent.objects.filter(action=f"a{number}").order_by("seq")
        assert [row.detail["turn"] for row in rows] == list(range(EACH))


def test_rows_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    write = trail._write

    def counted(batch: Any) -> None:
        sizes.append(len(batch))
        write(batch)

    monkeypatch.setattr(trail, "_write", counted)
    together()
    assert sum(sizes) == THREADS * EACH
    assert max(sizes) > 1


def test_a_row_that_cannot_be_written_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    save = AuditEvent.save

    def fails_for_one(self: AuditEvent, *args: Any, **kwargs: Any) -> None:
        if self.action == "a3":
            raise OperationalError
        save(self, *args, **kwargs)

    monkeypatch.setattr(AuditEvent, "save", fails_for_one)
    found = together()
    assert found[3] == ["refused"] * EACH
    assert all("refused" not in thread for number, thread in enumerate(found) if number != 3)
    assert (verify().rows, verify().first_broken) == ((THREADS - 1) * EACH, None)


def test_a_row_alone_that_cannot_be_written_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def fails(batch: Any) -> None:
        tries.append(len(batch))
        raise OperationalError

    monkeypatch.setattr(trail, "_write", fails)
    with pytest.raises(OperationalError):
        append(Entry("a", "SUCCESS", "u"), now=NOON)
    assert tries == [1]
