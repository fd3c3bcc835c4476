"""Serve the HL7 v2 door, or say which of its feeds are silent."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.keys import site_cipher
from ingestion.mllp.connection import Rules
from ingestion.mllp.server import Certificates, Server
from ingestion.mllp.waking import Waker
from ingestion.models import FeedRhythm
from ingestion.rhythm import silent_feeds

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_THIS_MACHINE: Final = ("127.", "localhost", "::1")


class Command(BaseCommand):
    """`manage.py mllp`, `manage.py mllp --feeds`."""

    help = "Take in HL7 v2 messages over MLLP until stopped; --feeds lists the senders and names those that are silent."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--feeds", action="store_true", help="list the feeds; exit code 1 when one is silent")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT, or list.

        Raises:
            CommandError: the port is taken, a certificate cannot be read, or a feed is silent.
        """
        if options["feeds"]:
            self._feeds()
            return
        given: dict[str, Any] = settings.INGESTION_MLLP
        rules = Rules(
            production_only=settings.CLINICAL_PROFILE == "site",
            message_bytes=settings.INGESTION_LIMITS[0],
            idle_s=given["idle_s"],
            message_s=given["message_s"],
        )
        waker = Waker()
        site_cipher()  # made by one process before many threads ask for it
        try:
            server = Server(
                given["address"],
                rules,
                clock=timezone.now,
                written=waker,
                turned=given["turned"],
                most_connections=given["connections"],
                certificates=self._certificates(given),
            )
        except OSError as error:
            raise CommandError(f"the HL7 v2 door does not open ({type(error).__name__}: {error.strerror})") from None
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.stop())
        waker.start()
        self.stdout.write(f"HL7 v2 door on port {server.port}")
        if given["client_authority"] is None and not given["address"][0].startswith(_THIS_MACHINE):
            self.stderr.write("whoever reaches this address can write records: no client certificate is asked for")
        server.serve()
        waker.stop()

    def _certificates(self, given: dict[str, Any]) -> Certificates | None:
        if given["certificate"] is None and given["key"] is None and given["client_authority"] is None:
            return None
        if given["certificate"] is None or given["key"] is None:
            raise CommandError("TLS needs both APPLIANCE_MLLP_TLS_CERT and APPLIANCE_MLLP_TLS_KEY")
        return Certificates(given["certificate"], given["key"], given["client_authority"])

    def _feeds(self) -> None:
        silent = {one.feed: one for one in silent_feeds(now=timezone.now())}
        for row in FeedRhythm.objects.order_by("feed"):
            line = f"{row.feed}: last message {timezone.localtime(row.heard_at):%d-%b-%Y %H:%M:%S}"
            if late := silent.get(row.feed):
                line += f"; SILENT for {late.silent_s / 60:.0f} min, expected within {late.expected_within_s / 60:.0f}"
            self.stdout.write(line)
        if silent:
            raise CommandError(f"{len(silent)} feeds are silent for longer than usual")
