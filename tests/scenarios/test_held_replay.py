"""Held items once more: taken in again, corrected, dismissed; each step is counted, refused and audited."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from clinical.domain.access import AccessDeniedError
from clinical.models import AuditEvent, Feed, Patient, ResourceVersion
from ingestion import pipeline
from ingestion.conservation import conservation
from ingestion.held.policy import DecisionError
from ingestion.held.replay import correct, dismiss, replay, take_back
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.originals import open_original
from ingestion.selectors import held_back, held_summary
from tests.factories import LIMITS, NOON, bundle, noon, observation, patient, take_in
from tests.scenarios.test_held_assign import held, known, person

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def broken(logical_id: str = "bad") -> dict[str, Any]:
    return {"resourceType": "Observation", "id": logical_id, "status": "final"}  # no code: not R4


def run(job: IngestJob) -> IngestJob:
    return pipeline.run(job.pk, limits=LIMITS, clock=noon)


def only(rows: Any) -> Any:
    return rows.get()


def waits(table: type[QuarantinedItem] | type[UnassignedItem]) -> Any:
    return table.objects.filter(resolved_at=None)


def test_a_replay_after_the_site_knows_the_sender_brings_the_items_in(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})
    held(patient("x"), observation("a", subject="x"))
    assert held_back() == (2, 0)
    settings.CLINICAL_KNOWN_AUTHORITIES = None

    (job,) = replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))
    job = run(job)

    assert (job.received, job.stored, job.unassigned) == (2, 2, 0)
    assert held_back() == (0, 0)
    assert conservation().holds
    assert Patient.objects.count() == 1


def test_a_replay_that_changes_nothing_holds_the_same_items_back_once() -> None:
    take_in(bundle(patient(), observation(), broken()))

    (job,) = replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))
    job = run(job)

    assert (job.received, job.unchanged, job.quarantined) == (3, 2, 1)
    assert held_back() == (0, 1)
    assert only(waits(QuarantinedItem)).job_id == job.pk
    assert conservation().holds


def test_one_original_has_one_replay_at_a_time() -> None:
    take_in(bundle(patient(), broken("one"), broken("two")))
    first = replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))

    assert len(first) == 1
    assert replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator")) == []


def test_a_replay_is_not_a_word_from_the_feed() -> None:
    take_in(bundle(patient(), broken()))
    Feed.objects.update(last_message_at=NOON.replace(year=2020))

    run(replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))[0])

    assert Feed.objects.get(name="files").last_message_at.year == 2020
    assert Feed.objects.get(name="operators").last_message_at == NOON


def test_a_corrected_text_is_an_original_of_its_own_that_says_who_corrected() -> None:
    first = take_in(bundle(patient(), broken()))
    item = only(waits(QuarantinedItem))
    mended = json.dumps(observation("bad")).encode()

    job = run(correct(item.pk, mended, by=person("operator")))

    item.refresh_from_db()
    first.refresh_from_db()
    assert (job.stored, job.context["corrected_by"], job.context["corrects"]) == (1, "demo-operator", item.pk)
    assert (item.resolution, item.replaced_by_id) == ("replaced", job.pk)
    assert (first.received, first.quarantined) == (2, 1)
    assert job.original_id != first.original_id
    with open_original(job.original) as file:
        assert file.read() == mended
    assert ResourceVersion.objects.get(logical_id="bad").is_current
    assert held_back() == (0, 0)
    assert conservation().holds
    assert AuditEvent.objects.get(action="held.correct").detail == {
        "item": item.pk,
        "job": first.pk,
        "corrected_as": job.pk,
    }


def test_a_correction_that_is_refused_too_leaves_nothing_behind() -> None:
    take_in(bundle(patient(), broken()))
    item = only(waits(QuarantinedItem))

    with pytest.raises(DecisionError):
        correct(item.pk, json.dumps(broken()).encode(), by=person("operator"))

    assert IngestJob.objects.count() == 1
    assert held_back() == (0, 1)


def test_a_dismissed_item_is_counted_as_dismissed_and_can_come_back() -> None:
    take_in(bundle(patient(), broken()))
    item = only(waits(QuarantinedItem))

    assert dismiss(QuarantinedItem, [item.pk], why="test-message", by=person("operator")) == 1
    assert (held_back(), conservation().dismissed, conservation().total.quarantined) == ((0, 0), 1, 1)
    assert conservation().holds

    take_back(QuarantinedItem, item.pk, by=person("operator"))
    assert (held_back(), conservation().dismissed) == ((0, 1), 0)


@pytest.mark.parametrize("act", ["replay", "correct", "dismiss"])
def test_what_is_the_operators_is_not_the_clinicians_and_the_refusal_is_on_the_trail(act: str) -> None:
    take_in(bundle(patient(), broken()))
    item, by = only(waits(QuarantinedItem)), person("clinician")

    with pytest.raises(AccessDeniedError, match="no-role-for-held-items"):
        if act == "replay":
            replay(waits(QuarantinedItem), waits(UnassignedItem), by=by)
        elif act == "correct":
            correct(item.pk, b"{}", by=by)
        else:
            dismiss(QuarantinedItem, [item.pk], why="duplicate", by=by)
    assert AuditEvent.objects.get(action=f"held.{act}").outcome == "DENIED"
    assert held_back() == (0, 1)


def test_the_age_of_the_oldest_is_told_for_each_queue() -> None:
    take_in(bundle(patient(), broken()))

    assert held_summary(now=NOON.replace(hour=14)) == {
        "unassigned": 0,
        "oldest_unassigned_s": None,
        "quarantined": 1,
        "oldest_quarantined_s": 7200,
    }


class TestCommand:
    def held(self, *arguments: str, role: str = "operator") -> Any:
        person(role)
        out = io.StringIO()
        call_command("held", *arguments, "--as", f"demo-{role}", "--json", stdout=out)
        return json.loads(out.getvalue())

    def test_it_lists_filters_and_shows_without_words(self) -> None:
        take_in(bundle(patient(), broken()))

        listed = self.held("list", "--queue", "quarantined")
        (item,) = listed["items"]
        shown = self.held("show", "--queue", "quarantined", "--id", str(item["id"]))

        assert (listed["quarantined"], item["position"], item["queue"]) == (1, "entry[1]", "quarantined")
        assert shown["items"] == [item]
        assert "Example" not in json.dumps(listed)
        assert self.held("list", "--reason", "no-such-reason")["items"] == []

    def test_the_words_are_for_those_allowed_and_each_look_is_on_the_trail(self) -> None:
        take_in(bundle(patient(), broken()))
        number = str(only(waits(QuarantinedItem)).pk)

        with pytest.raises(CommandError, match="held-words-closed"):
            self.held("show", "--queue", "quarantined", "--id", number, "--original")
        shown = self.held("show", "--queue", "quarantined", "--id", number, "--original", role="privacy")

        assert json.loads(shown["original"]["marked"])["resource"] == broken()
        looks = AuditEvent.objects.filter(action="held.open").values_list("outcome", "on_behalf_of")
        assert sorted(looks) == [("DENIED", "demo-operator"), ("SUCCESS", "demo-privacy")]

    def test_it_assigns_undoes_replays_and_dismisses(self, settings: Any) -> None:
        settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})
        known()
        item, other = held(observation("a", subject="x"), observation("b", subject="x"))
        number = str(item.pk)

        done = self.held(
            "assign", "--reference-of", number, "--patient", "amina", "--why", "asked-the-ward", role="privacy"
        )
        assert [one["effect"] for one in done["items"]] == ["stored", "stored"]
        self.held("undo", "--id", number, "--why", "wrong-patient", role="privacy")
        assert held_back() == (1, 0)
        assert self.held("replay", "--all")["items"][0]["unassigned"] == 1
        assert self.held("dismiss", "--reason", "unknown-authority", "--why", "duplicate") == {"dismissed": 1}
        assert held_back() == (0, 0)
        assert other.resolution == ""
        assert conservation().holds


def test_an_item_keeps_its_age_when_its_bytes_are_taken_in_again() -> None:
    take_in(bundle(patient(), observation(), broken()))
    since = NOON - timedelta(days=3)
    QuarantinedItem.objects.update(created_at=since)

    for _ in range(2):
        (job,) = replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))
        run(job)

    assert only(waits(QuarantinedItem)).created_at == since
    assert held_summary(now=NOON)["oldest_quarantined_s"] == timedelta(days=3).total_seconds()


def test_what_a_person_decided_stays_decided_when_the_rest_of_the_file_is_taken_in_again() -> None:
    take_in(bundle(patient(), broken("one"), broken("two"), broken("three")))
    first, second, third = QuarantinedItem.objects.order_by("ordinal")
    dismiss(QuarantinedItem, [first.pk], why="test-message", by=person("operator"))
    run(correct(second.pk, json.dumps(observation("two")).encode(), by=person("operator")))

    (job,) = replay(waits(QuarantinedItem), waits(UnassignedItem), by=person("operator"))
    job = run(job)

    assert only(waits(QuarantinedItem)).ordinal == third.ordinal
    assert held_back() == (0, 1)
    assert job.quarantined == 3
    assert conservation().holds
