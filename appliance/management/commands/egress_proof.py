"""Prove that nothing leaves: the real processes at work where every way out is watched; a signed report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.backup.keys import Signer
from appliance.config import config
from appliance.proof import report
from appliance.proof.judge import BROKEN, HELD, INCOMPLETE
from appliance.proof.make import FULL, SHORT, Wanted, prove

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_EXIT: Final = {HELD: 0, BROKEN: 1, INCOMPLETE: 2}


class Command(BaseCommand):
    """`manage.py egress_proof [--short] [--model] [--out FILE]`, `egress_proof --check FILE [--signer FINGERPRINT]`."""

    help = "Exit code 0: nothing left. 1: something is not as it should be. 2: nothing could be proved here."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--short", action="store_true", help="one run instead of two, without the whole clinic")
        parser.add_argument("--model", action="store_true", help="the model server takes part")
        parser.add_argument(
            "--gathered", type=Path, metavar="FOLDER", help="what the units of canaries and counters left there"
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="default egress-TIME.json in var/proofs")
        parser.add_argument("--check", type=Path, metavar="FILE", help="only check the signature of a report")
        parser.add_argument("--signer", default="", help="fingerprint that a checked report must have")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prove or check.

        Raises:
            CommandError: with exit code 1 or 2; or the key or the file cannot be used.
        """
        if options["check"]:
            self._check(options["check"], options["signer"])
            return
        settings, now = config(), timezone.now()
        try:
            signer = Signer(settings.secret("backup_signing_key"))
        except ValueError as error:
            raise CommandError(f"the report cannot be signed: {error}") from None
        wanted = Wanted(form=SHORT if options["short"] else FULL, model=options["model"], gathered=options["gathered"])
        made = prove(settings, wanted, now=now, say=self.stderr.write)
        file: Path = (options["out"] or report.file_of(settings, now)).with_suffix(".json")
        try:
            by = report.write(made, file, signer)
        except OSError as error:
            raise CommandError(f"the report cannot be written: {error.strerror}") from None
        if options["json"]:
            self.stdout.write(msgspec.json.encode(made).decode())
        else:
            for one in made.checks:
                said = {True: "yes", False: "NO ", None: "-  "}[one.held]
                self.stdout.write(f"{said}  {one.name}: {one.words}")
            self.stdout.write(f"{made.verdict}; {report.readable_of(file)}, signed by {by}")
        if _EXIT[made.verdict]:
            raise CommandError(f"the proof is {made.verdict}", returncode=_EXIT[made.verdict])

    def _check(self, file: Path, signer: str) -> None:
        try:
            read, by = report.read(file.with_suffix(".json"), signer=signer)
        except report.ReportRefusedError as error:
            raise CommandError(f"not a good report: {error.reason}") from None
        self.stdout.write(f"{read.verdict}, made {read.made_at}, signed by {by}")
