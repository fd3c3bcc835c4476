"""Send the trail to the site's syslog collectors and go on doing so."""

from __future__ import annotations

import platform
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from appliance.config import config
from appliance.processes.audit_forward import Collector, Forwarder

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py audit_forward --to ADDRESS[:PORT]`."""

    help = "Send each row of the trail to the site's syslog collectors (RFC 5424 over TCP or TLS), in order."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--to", action="append", required=True, metavar="ADDRESS[:PORT]", help="port 6514 if not named"
        )
        parser.add_argument(
            "--authority", type=Path, help="certificate of the collectors' authority: TLS; else plain TCP"
        )
        parser.add_argument("--state", type=Path, help="file that says how far it has come; default below var/")
        parser.add_argument("--once", action="store_true", help="send what is due and end")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send.

        Raises:
            CommandError: an address that is not of this site; with --once also a collector that does not answer.
        """
        try:
            collectors = [Collector(one, options["authority"]) for one in options["to"]]
        except ValueError as error:
            raise CommandError(str(error)) from None
        state = options["state"] or config().var / "audit-forward.json"
        forwarder = Forwarder(collectors, state, host=platform.node())
        if options["once"]:
            try:
                sent = forwarder.once()
            except OSError as error:
                raise CommandError(f"a collector does not take the trail ({type(error).__name__})") from None
            self.stdout.write("; ".join(f"{name}: {count} rows" for name, count in sent.items()))
            return
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        forwarder.follow(stopped=ended.is_set, say=self.stderr.write)
