"""Say what is wrong with this installation and what mends it, one line a check."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.config import config
from appliance.doctor.examine import examine, well
from appliance.doctor.finding import Look, State

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_SIGNS: Final = {State.RIGHT: "right ", State.WRONG: "WRONG ", State.NOT_CHECKED: "-     "}


class Command(BaseCommand):
    """`manage.py doctor [--json]`."""

    help = "Look at everything and say what is wrong, with the command that mends it. Exit code 1 if something is."
    requires_system_checks = []  # what they would refuse is said here in plain words

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Look and print.

        Raises:
            CommandError: something is wrong.
        """
        look = Look(config(), timezone.now())
        found = []
        for one in examine(look):
            found.append(one)
            if not options["json"]:
                self.stdout.write(f"{_SIGNS[one.state]} {one.name}: {one.words}")
                if one.mend:
                    self.stdout.write(f"        mend: {one.mend}")
        if options["json"]:
            self.stdout.write(json.dumps({"well": well(found), "checks": [asdict(one) for one in found]}, indent=2))
        if not well(found):
            bad = sum(one.state is State.WRONG for one in found)
            raise CommandError(f"{bad} of {len(found)} lines are wrong")
