"""Verify the trail, or report what was done with one patient's record."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.audit import trail
from clinical.management.commands.ask import patient_named
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py audit verify` and `manage.py audit export --patient ID`."""

    help = "Verify the chain, or export a patient's access report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["verify", "export"])
        parser.add_argument("--patient", help="FHIR Patient.id, for export")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Verify or export."""
        if options["action"] == "verify":
            self._verify(as_json=options["json"])
        elif not options["patient"]:
            raise CommandError("export needs --patient ID")
        else:
            self._export(options["patient"], as_json=options["json"])

    def _verify(self, *, as_json: bool) -> None:
        result = trail.verify()
        if as_json:
            self.stdout.write(
                json.dumps({"rows": result.rows, "first_broken": result.first_broken, "head": result.head})
            )
        elif result.first_broken is None:
            self.stdout.write(f"The chain holds: {result.rows} rows, head {result.head[:16]}.")
        if result.first_broken is not None:
            raise CommandError(f"row {result.first_broken} breaks the chain")

    def _export(self, logical_id: str, *, as_json: bool) -> None:
        patient = patient_named(logical_id)
        trail.append(
            trail.Entry("audit.export", "SUCCESS", f"os:{getpass.getuser()}", patient_id=str(patient.id)),
            now=timezone.now(),
        )
        rows = AuditEvent.objects.filter(patient_id=str(patient.id)).order_by("seq")
        if as_json:
            lines = [
                {
                    "seq": row.seq,
                    "id": str(row.id),
                    "recorded": row.recorded_at.isoformat(),
                    "action": row.action,
                    "outcome": row.outcome,
                    "user": row.user_id,
                    "on_behalf_of": row.on_behalf_of,
                    "purpose": row.purpose,
                    "detail": row.detail,
                }
                for row in rows
            ]
            self.stdout.write(json.dumps(lines, indent=2))
            return
        for row in rows:
            who = f"{row.user_id} as {row.on_behalf_of}" if row.on_behalf_of else row.user_id
            self.stdout.write(f"{row.recorded_at:%d-%b-%Y %H:%M:%S} {row.action} {row.outcome} {who}")
