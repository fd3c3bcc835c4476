"""Brings a restored record up to date and says whether it is what was backed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from appliance.backup import snapshot
from clinical.audit import trail
from clinical.models import IndexChange
from clinical.record.index_changes import apply_due
from clinical.record.index_check import compare, mend, note_everything

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.backup.manifest import Manifest

ACTION: Final = "backup.restore"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing compared: what the backup says, what this box holds."""

    name: str
    backed_up: str
    restored: str

    @property
    def equal(self) -> bool:
        """Whether both are the same."""
        return self.backed_up == self.restored


def compare_contents(manifest: Manifest) -> list[Line]:
    """Compare the restored databases with the manifest, and walk the audit chain."""
    record = snapshot.record_contents(snapshot.live("default"))
    held = snapshot.trail_contents(snapshot.live("audit"))
    lines = [
        Line(name.replace("_", " "), str(getattr(manifest.record, name)), str(getattr(record, name)))
        for name in manifest.record.__struct_fields__
    ]
    lines += [
        Line(f"trail {name}", str(getattr(manifest.trail, name)), str(getattr(held, name)))
        for name in manifest.trail.__struct_fields__
    ]
    walked = trail.verify()
    lines.append(Line("trail unbroken", "yes", "yes" if walked.first_broken is None else f"row {walked.first_broken}"))
    return lines


def bring_up_to_date(say: Callable[[str], None]) -> None:
    """Apply the migrations that are newer than the backup and end every session of that time."""
    for database in ("default", "audit"):
        call_command("migrate", verbosity=0, database=database)
    Session.objects.all().delete()
    say("migrations applied, sessions ended")


def rebuild_index(say: Callable[[str], None]) -> list[Line]:
    """Write every passage to the index and compare both sides.

    Raises:
        clinical.ports.BackendUnavailableError: the vector service does not answer.
    """
    now = timezone.now()
    mend(compare(), now=now)
    note_everything(now=now)
    while apply_due(now=timezone.now()):
        say(f"index: {IndexChange.objects.count()} changes due")
    found = compare()
    return [Line(f"index {name}", "0", str(len(getattr(found, name)))) for name in ("missing", "orphaned", "stale")]


def note_restored(manifest: Manifest, *, acting: str, repeated: int) -> None:
    """Write the restore into the trail: which backup, and how many deletions were repeated."""
    contents = msgspec.to_builtins(manifest.trail)
    detail = {"made_at": manifest.made_at, "sealed": manifest.sealed_sha256, "trail": contents, "repeated": repeated}
    trail.append(trail.Entry(action=ACTION, outcome="SUCCESS", user_id=acting, detail=detail), now=timezone.now())
