"""Consents whose rules, exceptions or permissions hold for a time: the record follows the clock.

Source: HL7 FHIR R4 4.0.1, Consent.provision.period.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from clinical.domain.consent_rules import denials_of
from ingestion.steps import consents
from tests.factories import NOON, take_in
from tests.scenarios.test_consent_conditions import ACTOR, ALL, NOTES, loaded
from tests.scenarios.test_labels_and_consent import consent
from tests.unit.test_repeated_receipts import in_effect

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def _no_moments_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consents, "_moments", {})


def period_of(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}


def test_what_another_consent_permits_for_a_time_ends_by_the_clock() -> None:
    loaded(rule="permit")
    take_in(consent("c2", rule="permit", provision={"period": period_of(NOON, NOON + timedelta(hours=1))}))
    take_in(consent(status="inactive", rule="permit", version="2"))
    assert in_effect() == ALL | {"Consent/c2"}

    assert consents.follow_the_clock(since=NOON, now=NOON + timedelta(hours=2)) == 1

    assert in_effect() == {"Patient/amina", "Consent/c1", "Consent/c2"}


def test_a_denial_for_a_time_begins_and_ends_by_the_clock() -> None:
    start, end = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=3)
    assert loaded(provision={"period": period_of(start, end)}) == ALL
    before, during, after = (start + timedelta(hours=shift) for shift in (-1, 1, 4))

    assert consents.follow_the_clock(since=None, now=before) == 0
    assert consents.follow_the_clock(since=before, now=during) == 1
    assert in_effect() == {"Patient/amina", "Consent/c1"}
    assert consents.follow_the_clock(since=during, now=during + timedelta(minutes=1)) == 0
    assert consents.follow_the_clock(since=during, now=after) == 1
    assert in_effect() == ALL


def test_an_exception_for_a_time_ends_by_the_clock() -> None:
    start, end = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    assert loaded(provision={"provision": [{"type": "permit", "period": period_of(start, end)}]}) == ALL

    assert consents.follow_the_clock(since=NOON, now=end + timedelta(minutes=1)) == 1

    assert in_effect() == {"Patient/amina", "Consent/c1"}


def test_a_denial_until_a_day_ends_when_the_day_is_over() -> None:
    assert loaded(provision={"period": {"end": "2026-03-01"}}) == {"Patient/amina", "Consent/c1"}
    midnight = datetime(2026, 3, 2, tzinfo=UTC)

    assert consents.follow_the_clock(since=NOON - timedelta(days=1), now=midnight - timedelta(minutes=1)) == 0
    assert consents.follow_the_clock(since=midnight - timedelta(minutes=1), now=midnight) == 1
    assert in_effect() == ALL


def test_a_rule_that_a_former_release_did_not_apply_is_applied_when_a_worker_begins() -> None:
    with pytest.MonkeyPatch.context() as former:
        former.setattr(consents, "limit", lambda *_, **__: None)
        assert loaded(provision={**NOTES, "actor": ACTOR}) == ALL

    assert consents.follow_the_clock(since=None, now=NOON) == 1

    assert in_effect() == ALL - {"DocumentReference/note-1"}


def test_days_of_a_period_are_part_of_it() -> None:
    (rule,) = denials_of({"type": "deny", "period": {"start": "2026-03-01", "end": "2026-03-02"}}).rules
    moments = [(2026, 2, 28, 23), (2026, 3, 1, 0), (2026, 3, 2, 23), (2026, 3, 3, 0)]
    assert [rule.at(datetime(*one, tzinfo=UTC)) is not None for one in moments] == [False, True, True, False]
