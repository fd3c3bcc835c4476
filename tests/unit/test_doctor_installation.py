"""What can be wrong with settings, machine and databases is broken once each, and the doctor names it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from appliance.config import ROOT, environment
from appliance.doctor import (
    database_checks,
    machine_checks,
    safety_checks,
    settings_checks,
)
from appliance.doctor.finding import Look, State
from clinical.audit import trail
from clinical.models import AuditEvent
from tests.unit import doctor_findings
from tests.unit.doctor_findings import NOW, changed, named_wrong, site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

look = doctor_findings.look
pytestmark = pytest.mark.django_db(databases=["default", "audit"])


class TestSettings:
    def test_an_ordinary_installation_is_right(self, look: Look) -> None:
        assert settings_checks.configuration(look).state is State.RIGHT
        assert settings_checks.configuration(site(look)).state is State.RIGHT
        assert settings_checks.secrets(look).state is State.RIGHT
        assert settings_checks.secrets(site(look)).state is State.RIGHT

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ({"demo": True}, "demonstration clinic"),
            ({"default_care_team": "somebody"}, "default care team"),
            ({"allowed_hosts": "a,*"}, "every host name"),
            ({"known_authorities": ""}, "no assigning authority"),
            ({"backup_recipient": ""}, "no key is named"),
            ({"audit_database_url": ""}, "database is not named"),
        ],
    )
    def test_what_no_site_may_have_is_named(self, look: Look, setting: dict[str, Any], words: str) -> None:
        named_wrong(settings_checks.configuration(site(look, **setting)), "configuration", words)

    def test_the_debug_flag_is_named(self, look: Look, settings: Any) -> None:
        settings.DEBUG = True
        named_wrong(settings_checks.configuration(look), "configuration", "DEBUG is on")

    def test_a_secret_open_to_others_is_named_but_not_shown(self, look: Look) -> None:
        (look.settings.var / "secrets" / "vllm_api_key").chmod(0o644)
        found = settings_checks.secrets(look)
        named_wrong(found, "secrets", "vllm_api_key is open to others")
        assert look.settings.secret("vllm_api_key") not in found.words

    def test_a_malformed_key_and_a_missing_one_are_named(self, look: Look) -> None:
        (look.settings.var / "secrets" / "master_key").write_text("short")
        named_wrong(settings_checks.secrets(look), "secrets", "master_key is not 64")
        missing = site(look, backup_signing_key=None)
        shutil.rmtree(look.settings.var / "secrets")
        named_wrong(settings_checks.secrets(missing), "secrets", "backup_signing_key is not given")

    def test_a_certificate_that_ends_soon_is_named(self, look: Look, certificate: Callable[..., Path]) -> None:
        good, soon = certificate("good.pem", 90), certificate("soon.pem", 10)
        assert settings_checks.certificates(changed(look, mllp_tls_cert=good)).state is State.RIGHT
        named_wrong(
            settings_checks.certificates(changed(look, mllp_tls_cert=soon)), "certificates", "soon.pem ends 2026"
        )
        named_wrong(settings_checks.certificates(site(look), folder=soon.parent), "certificates", "soon.pem")
        assert settings_checks.certificates(look).state is State.NOT_CHECKED

    def test_a_certificate_that_cannot_be_read_is_named(self, look: Look, tmp_path: Path) -> None:
        gone = changed(look, mllp_tls_cert=tmp_path / "gone.pem")
        named_wrong(settings_checks.certificates(gone), "certificates", "cannot be read: gone.pem")


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[..., Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(name: str, days: int) -> Path:
        key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        built = x509.CertificateBuilder(who, who, key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days))
        folder = tmp_path / "tls"
        folder.mkdir(exist_ok=True)
        content = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (folder / name).write_bytes(content)
        return folder / name

    return make


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("APPLIANCE_VLLM_URL", "http://example.org", "APPLIANCE_VLLM_URL: 'example.org' is not on this site"),
        ("APPLIANCE_PORT", "99999999", "APPLIANCE_PORT: Input should be less than or equal to 65535"),
        ("APPLIANCE_PROFILE", "site", "a site gives these as credentials: secret_key, master_key"),
    ],
)
def test_refused_settings_are_named_in_words_before_anything_starts(variable: str, value: str, words: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "doctor"]
    done = subprocess.run(command, env={**environment(), variable: value}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "99999999" not in done.stderr


class TestMachine:
    def test_a_full_disk_is_named(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        assert {one.state for one in machine_checks.disk(look)} == {State.RIGHT}
        full = shutil._ntuple_diskusage(100 * 2**30, 99 * 2**30, 2**30)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
        named_wrong(machine_checks.disk(look), "disk of the data", "1.0 GiB of 100 GiB")

    def test_a_clock_behind_the_trail_is_named(self, look: Look) -> None:
        assert machine_checks.clock(look).state is State.RIGHT
        trail.append(trail.Entry("x", "SUCCESS", "u"), now=NOW + timedelta(hours=3))
        named_wrong(machine_checks.clock(look), "clock", "3 hours behind")

    def test_a_clock_that_nobody_keeps_is_named_on_a_site(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine_checks, "synchronised", lambda: False)
        named_wrong(machine_checks.clock(site(look)), "clock", "no time server")
        assert machine_checks.clock(look).state is State.RIGHT

    def test_a_missing_program_is_named_with_its_package(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None if name == "tesseract" else name)
        named_wrong(safety_checks.tools(look), "programs", "missing: tesseract")
        assert "tesseract-ocr" in safety_checks.tools(look).mend


class TestDatabases:
    def test_both_answer_and_are_migrated(self, look: Look) -> None:
        assert [one.state for one in database_checks.databases(look)] == [State.RIGHT, State.RIGHT]

    def test_one_that_does_not_answer_is_named(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database_checks, "reachable", lambda alias: alias != "audit")
        named_wrong(database_checks.databases(site(look)), "database of the trail", "does not answer")

    def test_a_migration_to_come_is_named(self, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
        from django.db.migrations.recorder import MigrationRecorder

        applied = MigrationRecorder.applied_migrations
        monkeypatch.setattr(
            MigrationRecorder,
            "applied_migrations",
            lambda self: {key: one for key, one in applied(self).items() if key != ("sessions", "0001_initial")},
        )
        named_wrong(database_checks.databases(look), "database of the record", "sessions.0001_initial")

    @pytest.mark.parametrize("walked", [20_000, 2])
    def test_a_broken_chain_is_named_by_its_row(self, look: Look, monkeypatch: pytest.MonkeyPatch, walked: int) -> None:
        monkeypatch.setattr(database_checks, "WALKED", walked)
        for _ in range(5):
            trail.append(trail.Entry("x", "SUCCESS", "u"), now=NOW)
        assert database_checks.chain(look).state is State.RIGHT
        AuditEvent.objects.filter(seq=3).update(hash="0" * 64)
        named_wrong(database_checks.chain(look), "audit trail", r"row [34]")

    def test_unapproved_tables_are_wrong_on_a_site_only(self, look: Look) -> None:
        assert database_checks.knowledge(look).state is State.RIGHT
        named_wrong(database_checks.knowledge(site(look)), "clinical tables", "not approved by anybody")
