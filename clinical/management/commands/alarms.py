"""Make NEWS2's thresholds the site's own alarm policy, or undo it, or say how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.access.alarm_policy import alarms_on, turn_alarms
from clinical.domain.access import AccessDeniedError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py alarms on|off|status [--as USER --reason POLICY]`."""

    help = "Mark raised NEWS2 as an alarm of this site's own policy. Off by default: the product itself raises none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["on", "off", "status"])
        parser.add_argument("--as", dest="user", help="login name of the clinical lead, for on and off")
        parser.add_argument("--reason", default="", help="the policy, without any patient's details; for on and off")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Turn, and print how it stands."""
        if options["action"] != "status":
            user = User.objects.filter(username=options["user"] or "").first()
            if user is None:
                raise CommandError("--as needs the login name of the clinical lead")
            try:
                turn_alarms(user, on=options["action"] == "on", reason=options["reason"], now=timezone.now())
            except AccessDeniedError as denial:
                raise CommandError(f"refused: {denial.reason} (audit row {denial.audit_id})", returncode=3) from None
            except ValueError as error:
                raise CommandError(f"--reason: {error}") from None
        self.stdout.write(f"Alarm words are {'on' if alarms_on() else 'off'}.")
