"""Rows kept in the process are those of the record as it is, of the patient as he is, and never too many."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from clinical.access.services import grant_access
from clinical.keys import KeyDestroyedError
from clinical.models import FactRow, Patient
from clinical.record import facts_held
from clinical.record.erase import begin
from clinical.record.selectors import facts_of
from tests.erasing import erased, held
from tests.factories import NOON, bundle, clinician, observation, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact

# Nothing is kept inside a transaction, so these tests commit.
pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    facts_held.forget()
    yield
    facts_held.forget()


def grant(logical_id: str = "amina") -> AccessGrant:
    return grant_access(clinician(), held(logical_id).id, action="test", now=NOON)


def values(facts: list[Fact]) -> set[str]:
    return {fact.row.value.number for fact in facts if fact.row.kind == "observation"}  # type: ignore[union-attr]


def kept(patient_id: UUID) -> tuple[Fact, ...] | None:
    return facts_held.kept(patient_id, facts_held.stamp_of(patient_id), hiding=True)


def test_the_second_question_decrypts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient(), observation()))
    first = facts_of(grant())
    monkeypatch.setattr("clinical.record.selectors.read_payload", None)

    assert facts_of(grant()) == first
    assert [fact.row.kind for fact in facts_of(grant(), ["patient"])] == ["patient"]


def test_a_change_of_the_record_is_seen_at_once() -> None:
    take_in(bundle(patient(), observation(value=4.1), observation("k2", value=5.2)))
    assert values(facts_of(grant())) == {"4.1", "5.2"}

    take_in(observation(value=4.6, status="corrected"))
    assert values(facts_of(grant())) == {"4.6", "5.2"}

    FactRow.objects.filter(version__logical_id="k2").delete()
    assert values(facts_of(grant())) == {"4.6"}


def test_a_caller_who_changes_his_list_changes_nobody_elses() -> None:
    take_in(bundle(patient(), observation()))
    facts_of(grant()).clear()

    assert values(facts_of(grant())) == {"4.1"}


def test_of_an_erased_patient_nothing_is_kept_or_given() -> None:
    take_in(bundle(patient(), observation()))
    amina, allowed = held("amina"), grant()
    facts_of(allowed)
    assert kept(amina.id)

    begin(amina, reason="request", user_id="demo-privacy", now=NOON)
    with pytest.raises(KeyDestroyedError):
        facts_of(allowed)
    erased("amina")

    assert not any(key[0] == amina.id for key in facts_held._kept)
    with pytest.raises(Patient.DoesNotExist):
        facts_of(allowed)


def test_another_process_that_kept_his_rows_reads_them_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient(), observation()))
    allowed = grant()
    facts_of(allowed)
    monkeypatch.setattr(facts_held, "forget", lambda *_: None)  # that process is not told

    erased("amina")

    with pytest.raises(Patient.DoesNotExist):
        facts_of(allowed)


def test_what_was_asked_for_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient("amina"), observation()))
    take_in(bundle(patient("bruno"), observation("k2", subject="bruno")))
    take_in(bundle(patient("carla"), observation("k3", subject="carla")))
    monkeypatch.setattr(facts_held, "MOST_ROWS", 4)  # two rows each

    for name in ("amina", "bruno", "amina", "carla"):
        facts_of(grant(name))

    assert kept(held("bruno").id) is None
    assert kept(held("amina").id) and kept(held("carla").id)


def test_rows_are_dropped_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient(), observation()))
    facts_of(grant())
    now = time.monotonic()

    monkeypatch.setattr("clinical.record.facts_held.time.monotonic", lambda: now + facts_held.KEPT_S + 1)

    assert kept(held("amina").id) is None
    assert not facts_held._kept


def test_inside_a_transaction_nothing_is_kept() -> None:
    from django.db import transaction

    take_in(bundle(patient(), observation()))
    with transaction.atomic():
        assert facts_held.stamp_of(held("amina").id) is None
        facts_of(grant())

    assert not facts_held._kept
