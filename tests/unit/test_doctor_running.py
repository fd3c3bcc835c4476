"""What can be wrong with services, work and safety is broken once each, and the doctor names it."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.db import Error

from appliance.backup import manifest
from appliance.backup.keys import Signer
from appliance.doctor import (
    safety_checks,
    service_checks,
    settings_checks,
    work_checks,
)
from appliance.doctor.examine import CHECKS, examine, well
from appliance.doctor.finding import Finding, Look, State, age
from appliance.model_server.manifest import EMBEDDER_FILES, write_manifest
from appliance.proof import report
from appliance.proof.shapes import Check, Report
from appliance.restoring import marker_of
from clinical.models import IndexChange
from clinical.ports import BackendUnavailableError, backends
from ingestion.models import FeedRhythm, IngestJob, QuarantinedItem
from tests.factories import bundle, note, patient, take_in
from tests.unit import doctor_findings
from tests.unit.doctor_findings import NOW, SEED, changed, named_wrong, only, site

if TYPE_CHECKING:
    pass

look = doctor_findings.look
pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def change_due(created_at: datetime) -> None:
    """Leave a change that the index has not got."""
    IndexChange.objects.create(
        collection=IndexChange.Collection.PASSAGES,
        operation=IndexChange.Operation.UPSERT,
        passage_id=uuid4(),
        created_at=created_at,
    )


class TestServices:
    def test_a_queue_that_is_down_is_named(self, look: Look) -> None:
        named_wrong(service_checks.queue(look), "queue", "does not answer")
        assert service_checks.worker(look).state is State.NOT_CHECKED

    @pytest.mark.parametrize(
        ("told", "words"),
        [([{}], "no worker answers"), ([{"w": {"total": {service_checks.SWEEP: 7}}}], "has not looked at the ledger")],
    )
    def test_a_worker_that_is_gone_or_stuck_is_named(
        self, look: Look, monkeypatch: pytest.MonkeyPatch, told: list[Any], words: str
    ) -> None:
        monkeypatch.setattr(service_checks, "listens", lambda *_, **__: True)
        stuck = replace(look, settings=look.settings.model_copy(update={"sweep_s": -0.4}))
        named_wrong(service_checks.worker(stuck, lambda: told[0]), "worker", words)

    def test_a_worker_that_sweeps_is_right(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service_checks, "listens", lambda *_, **__: True)
        told = iter([{"w": {"total": {service_checks.SWEEP: count}}} for count in (7, 8)])
        assert service_checks.worker(look, lambda: next(told)).state is State.RIGHT

    def test_a_vector_service_that_is_down_is_named(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        def down() -> tuple[int, int]:
            raise BackendUnavailableError("qdrant", "unreachable")

        monkeypatch.setattr(backends().index, "held", down)
        named_wrong(service_checks.index(look), "vector service", "unreachable")

    def test_an_index_that_differs_from_the_record_is_named(self, look: Look) -> None:
        take_in(bundle(patient("ada"), note("Seen for a cough. No fever.", subject="ada")))
        assert only(service_checks.index(look), "index").state is State.RIGHT
        backends().index.passages.clear()  # type: ignore[attr-defined]
        named_wrong(service_checks.index(look), "index", "[1-9] missing")
        change_due(NOW)
        assert only(service_checks.index(look), "index").state is State.NOT_CHECKED

    def test_a_model_server_that_is_down_is_named(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        named_wrong(service_checks.model(look), "model server", "not_prepared")
        monkeypatch.setattr(service_checks, "recorded_digest", lambda _folder: "ab" * 32)
        assert service_checks.model(look).state is State.RIGHT
        monkeypatch.setattr(backends().chat, "ready", lambda: False)
        named_wrong(service_checks.model(look), "model server", "does not answer")
        assert service_checks.model(changed(look, drafting=False)).state is State.RIGHT

    def test_a_changed_embedder_is_named(self, look: Look) -> None:
        folder = look.settings.embedder_path
        named_wrong(service_checks.embedder(look), "embedder", "not_prepared")
        folder.mkdir()
        (folder / "model.onnx").write_bytes(b"weights")
        write_manifest(folder, name="m", licence="MIT", source="test", allowed=EMBEDDER_FILES)
        assert service_checks.embedder(look).state is State.RIGHT
        (folder / "model.onnx").write_bytes(b"others")
        named_wrong(service_checks.embedder(look), "embedder", "changed_file")


class TestWork:
    def test_an_empty_installation_is_right(self, look: Look) -> None:
        assert {one.state for one in work_checks.work(look)} == {State.RIGHT}

    def test_a_job_and_a_passage_that_wait_too_long_are_named(self, look: Look) -> None:
        take_in(bundle(patient("ada"), note("Seen for a cough.", subject="ada")))
        change_due(NOW - timedelta(hours=2))
        IngestJob.objects.update(state="received", created_at=NOW - timedelta(hours=3))
        named_wrong(work_checks.work(look), "work", "wait for the workers.*3 hours.*wait for the index.*2 hours")

    def test_an_item_held_for_days_is_named_by_count_and_age(self, look: Look) -> None:
        take_in(b'{"resourceType": "Patient", "id":')
        QuarantinedItem.objects.update(created_at=NOW - timedelta(days=4))
        named_wrong(work_checks.work(look), "held items", "1 quarantined, the oldest for 4 days")

    def test_a_silent_feed_is_named(self, look: Look) -> None:
        FeedRhythm.objects.create(feed="fhir:lab", heard_at=NOW - timedelta(days=40), gaps=[60.0] * 20)
        named_wrong(work_checks.work(look), "feeds", "fhir:lab: silent.*40 days")

    def test_a_database_that_does_not_answer_stops_nothing(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(**_given: Any) -> None:
            raise Error("patient text")

        monkeypatch.setattr(work_checks, "alarms", fails)
        assert {one.state for one in work_checks.work(look)} == {State.NOT_CHECKED}


def backed_up(look: Look, made: datetime, seed: str = SEED) -> Look:
    """Leave a signed backup of that time."""
    folder = look.settings.backup_path / made.strftime(manifest.STAMP)
    folder.mkdir(parents=True)
    record = manifest.RecordContents(3, 9, "", 0, "", 0, 0, 0, 0)
    contents = manifest.TrailContents(1, "")
    written = manifest.Manifest(
        manifest.FORMAT, made.isoformat(), "1", "sqlite", [], record, contents, "", 0, [], [], []
    )
    manifest.write(folder, written, Signer(seed))
    (look.settings.var / "secrets" / "backup_signing_key").write_text(SEED)
    return look


def proved(look: Look, made: datetime, verdict: str = "held", seed: str = SEED) -> Look:
    """Leave a signed egress report of that time."""
    checks = [Check("tempted: packets", held=verdict == "held", words="")]
    written = Report("egress-proof", made.isoformat(), "1", "m", "short", verdict, 1.0, checks, [], [], [], [])
    report.write(written, report.file_of(look.settings, made), Signer(seed))
    (look.settings.var / "secrets" / "backup_signing_key").write_text(SEED)
    return look


class TestSafety:
    def test_a_fresh_backup_of_our_own_is_right(self, look: Look) -> None:
        found = safety_checks.backups(backed_up(look, NOW - timedelta(hours=5)))
        assert found.state is State.RIGHT
        assert "3 patients" in found.words

    def test_none_an_old_one_and_somebody_else_s_are_named(self, look: Look) -> None:
        named_wrong(safety_checks.backups(look), "backup", "there is none")
        named_wrong(safety_checks.backups(backed_up(look, NOW - timedelta(days=3))), "backup", "3 days old")
        foreign = backed_up(look, NOW - timedelta(hours=1), seed="01" * 32)
        named_wrong(safety_checks.backups(foreign), "backup", "other-signer")

    def test_a_restore_and_an_update_that_did_not_end_are_named(self, look: Look) -> None:
        assert {one.state for one in safety_checks.under_way(site(look))} == {State.RIGHT}
        marker_of(look.settings).write_text("/backups/20261123T000000Z")
        named_wrong(safety_checks.under_way(look), "restore", "has begun and not ended")
        (look.settings.var / "release").mkdir()
        (look.settings.var / "release" / "pending.json").write_text("{}")
        named_wrong(safety_checks.under_way(site(look)), "update", "has begun and not ended")

    def test_a_fresh_egress_report_is_right(self, look: Look) -> None:
        assert safety_checks.egress(proved(look, NOW - timedelta(days=2))).state is State.RIGHT

    def test_none_an_old_one_a_broken_one_and_a_forged_one_are_named(self, look: Look) -> None:
        named_wrong(safety_checks.egress(look), "egress proof", "there is none")
        named_wrong(safety_checks.egress(proved(look, NOW - timedelta(days=9))), "egress proof", "9 days old")
        broken = proved(look, NOW - timedelta(hours=3), "broken")
        named_wrong(safety_checks.egress(broken), "egress proof", "broken: tempted: packets")
        forged = proved(look, NOW - timedelta(hours=1), seed="01" * 32)
        named_wrong(safety_checks.egress(forged), "egress proof", "other-signer")


class TestTheWhole:
    def test_a_check_that_fails_itself_is_named_without_its_message(self, look: Look) -> None:
        def hopeless(_look: Look) -> Finding:
            raise ValueError("Mrs Someone")

        found = list(examine(look, [hopeless, settings_checks.configuration]))
        assert [one.state for one in found] == [State.WRONG, State.RIGHT]
        assert "Someone" not in str(found)
        assert not well(found)

    def test_every_check_has_a_line_and_every_mend_a_command_that_exists(self, look: Look) -> None:
        found = list(examine(look)) + list(examine(site(look)))
        assert len({one.name for one in found}) >= len(CHECKS)
        typed = {word for one in found for word in re.findall(r"(?:manage\.py|appliance-manage) ([a-z_]+)", one.mend)}
        assert len(typed) > 2
        assert typed <= set(get_commands())
        assert all(one.mend for one in found if one.state is State.WRONG)

    def test_the_command_ends_with_1_and_prints_its_lines_as_json(self) -> None:
        out = io.StringIO()
        with pytest.raises(CommandError, match="lines are wrong"):
            call_command("doctor", "--json", stdout=out)
        told = json.loads(out.getvalue())
        assert told["well"] is False
        assert {"name", "state", "words", "mend"} == set(told["checks"][0])

    @pytest.mark.parametrize(
        ("seconds", "words"), [(1, "1 seconds"), (119, "119 seconds"), (7200, "2 hours"), (400_000, "4 days")]
    )
    def test_ages_are_told_in_the_largest_fitting_unit(self, seconds: float, words: str) -> None:
        assert age(seconds) == words
