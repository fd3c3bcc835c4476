"""The trail: chained, append-only, apart from the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction

from clinical.audit.trail import Entry, append, verify
from clinical.models import AuditEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)


def some_rows(number: int = 4) -> None:
    for one in range(number):
        append(Entry(action="question", outcome="STARTED", user_id=f"user-{one}"), now=NOON)


def test_an_untouched_chain_holds() -> None:
    some_rows()

    result = verify()

    assert (result.rows, result.first_broken) == (4, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("user_id", "somebody-else"),
        ("outcome", "SUCCESS"),
        ("recorded_at", datetime(2026, 3, 1, 13, tzinfo=UTC)),
        ("detail", {"reason": "other"}),
        ("hash", "0" * 64),
        ("patient_id", "x"),
    ],
)
def test_an_altered_row_is_named(column: str, value: Any) -> None:
    some_rows()

    AuditEvent.objects.filter(seq=2).update(**{column: value})

    assert verify().first_broken == 2


def test_a_removed_row_is_named() -> None:
    some_rows()

    AuditEvent.objects.filter(seq=3)._raw_delete("audit")

    assert verify().first_broken == 3


def test_the_model_refuses_to_change_or_delete_a_row() -> None:
    some_rows(1)
    row = AuditEvent.objects.get()

    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


def test_a_rollback_of_the_caller_keeps_the_row() -> None:
    class ChangedMindError(Exception):
        pass

    with pytest.raises(ChangedMindError), transaction.atomic(using="default"):
        some_rows(1)
        raise ChangedMindError

    assert AuditEvent.objects.count() == 1


def test_the_table_stands_in_its_own_database_only() -> None:
    assert "clinical_auditevent" in connections["audit"].introspection.table_names()
    assert "clinical_auditevent" not in connections["default"].introspection.table_names()
    assert "clinical_patient" not in connections["audit"].introspection.table_names()
