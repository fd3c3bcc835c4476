"""Turn the model's drafting off or on, or say how it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.answering.switches import DRAFTING, drafting_allowed, turn_drafting
from clinical.domain.access import AccessDeniedError
from clinical.domain.visible import visible
from clinical.models import Switch

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py drafting on|off|status [--as USER --reason WHY]`."""

    help = "Let the model draft or not, at once and for running answers too. Facts and quotes are not affected."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["on", "off", "status"])
        parser.add_argument("--as", dest="user", help="login name of the clinical lead, for on and off")
        parser.add_argument("--reason", default="", help="why, without any patient's details; for on and off")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Turn, and print how it stands."""
        if options["action"] != "status":
            _turn(options)
        switch = Switch.objects.filter(name=DRAFTING).first()
        state: dict[str, Any] = {
            "drafting": drafting_allowed(),
            "installation": settings.CLINICAL_DRAFTING,
            "turned": None
            if switch is None
            else {
                "on": switch.is_on,
                "by": switch.user_id,
                "at": switch.changed_at.isoformat(timespec="seconds"),
                "reason": switch.reason,
            },
        }
        self.stdout.write(json.dumps(state) if options["json"] else _plain(state))


def _turn(options: dict[str, Any]) -> None:
    user = User.objects.filter(username=options["user"] or "").first()
    if user is None:
        raise CommandError("--as needs the login name of the clinical lead")
    try:
        turn_drafting(user, on=options["action"] == "on", reason=options["reason"], now=timezone.now())
    except AccessDeniedError as denial:
        raise CommandError(f"refused: {denial.reason} (audit row {denial.audit_id})", returncode=3) from None
    except ValueError as error:
        raise CommandError(f"--reason: {error}") from None


def _plain(state: dict[str, Any]) -> str:
    lines = [f"Drafting is {'on' if state['drafting'] else 'off'}."]
    if not state["installation"]:
        lines.append("The installation has it off (APPLIANCE_DRAFTING).")
    if turned := state["turned"]:
        way = "on" if turned["on"] else "off"
        lines.append(visible(f"Turned {way} by {turned['by']} at {turned['at']}: {turned['reason']}"))
    return "\n".join(lines)
