"""What protects against loss and leaks: backups, a restore or an update under way, the egress proof."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from appliance.backup import manifest
from appliance.backup.keys import Signer, fingerprint
from appliance.backup.manifest import BackupRefusedError
from appliance.doctor.finding import age, not_checked, right, wrong
from appliance.proof import report
from appliance.proof.judge import HELD
from appliance.restoring import marker_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.doctor.finding import Finding, Look
    from appliance.proof.shapes import Report

BACKUP_AGE: Final = timedelta(hours=30)  # nightly, and a night that took longer
PROOF_AGE: Final = timedelta(days=8)  # weekly, and a day


def backups(look: Look) -> Finding:
    """Say how old the newest backup is, and whether it is this installation's."""
    signer = _own(look)
    if not signer:
        return not_checked("backup", "this installation's signing key is not given to this process")
    try:
        found = manifest.folders(look.settings.backup_path)
    except OSError as error:
        return not_checked("backup", f"the folder cannot be read: {error.strerror}")
    mend = look.manage("backup")
    if not found:
        return wrong("backup", "there is none", mend)
    made = datetime.strptime(found[-1].name, manifest.STAMP).replace(tzinfo=UTC)
    try:
        held = manifest.read(found[-1], signer=signer)
    except BackupRefusedError as error:
        return wrong("backup", f"the newest, {found[-1].name}, is not good: {error.reason}", mend)
    since = age((look.now - made).total_seconds())
    if look.now - made > BACKUP_AGE:
        return wrong("backup", f"the newest is {since} old", mend)
    return right("backup", f"{since} old, {held.record.patients} patients, signed by {signer}")


def _own(look: Look) -> str:
    """Return the fingerprint of this installation's signing key, "" where it is not to be had; none is made here."""
    given = look.settings.backup_signing_key
    path = look.settings.var / "secrets" / "backup_signing_key"
    try:
        seed = given.get_secret_value() if given is not None else path.read_text().strip()
        return fingerprint(Signer(seed).public)
    except (OSError, ValueError):
        return ""


def under_way(look: Look) -> Iterator[Finding]:
    """Say whether a restore or an update has begun and not ended."""
    marker = marker_of(look.settings)
    if marker.exists():
        folder = marker.read_text().strip()
        words = f"one from {folder} has begun and not ended; no door opens until it has"
        yield wrong("restore", words, look.manage(f"restore {folder} --signer FINGERPRINT --identity FILE"))
    else:
        yield right("restore", "none is under way")
    if look.site:
        pending = look.settings.var / "release" / "pending.json"
        if pending.exists():
            yield wrong("update", "one has begun and not ended", "/opt/appliance/bin/release resume")
        else:
            yield right("update", "none is under way")


def egress(look: Look) -> Finding:
    """Say how old the newest egress report is, whether it is this installation's, and what it found."""
    mend = "systemctl start appliance-egress-proof" if look.site else look.manage("egress_proof")
    file = report.newest(look.settings)
    if file is None:
        return wrong("egress proof", "there is none", mend)
    try:
        found, by = report.read(file, signer=_own(look))
    except report.ReportRefusedError as error:
        return wrong("egress proof", f"the newest is not good: {error.reason}", mend)
    return _judged(look, file, found, by, mend)


def _judged(look: Look, file: Path, found: Report, by: str, mend: str) -> Finding:
    passed = look.now - datetime.fromisoformat(found.made_at)
    since = age(passed.total_seconds())
    if found.verdict != HELD:
        bad = [one.name for one in found.checks if one.held is False]
        words = f"the newest, {since} old, is {found.verdict}: {'; '.join(bad) or 'no run could be made'}"
        return wrong("egress proof", words, f"read {report.readable_of(file)}; {mend}")
    if passed > PROOF_AGE:
        return wrong("egress proof", f"the newest is {since} old", mend)
    return right("egress proof", f"{since} old, {found.form} form, nothing left; signed by {by}")


def tools(look: Look) -> Finding:
    """Say which program that the appliance uses is missing from this machine."""
    wanted = {"redis-server": "redis-server", "tesseract": "tesseract-ocr", "strace": "strace", "ip": "iproute2"}
    wanted |= {"nft": "nftables", "pg_dump": "postgresql-client-15"} if look.site else {}
    missing = {program: package for program, package in wanted.items() if shutil.which(program) is None}
    if missing:
        mend = f"apt-get install --no-install-recommends {' '.join(missing.values())}"
        return wrong("programs", f"missing: {', '.join(missing)}", mend)
    return right("programs", f"{', '.join(wanted)} are there")
