"""Register, list, switch and remove the Subscriptions whose notifications are received here."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion.models import Subscription, SubscriptionEvent
from ingestion.subscriptions.catch_up import catch_up_all
from ingestion.subscriptions.receiver import seal_secret
from ingestion.subscriptions.watch import watched
from ingestion.webhook.clients import NAME

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

SHORTEST_SECRET: Final = 16  # characters
_HEADER: Final = "Authorization"


class Command(BaseCommand):
    """`manage.py subscription add|list|missing|fetch|on|off|remove [NAME]`."""

    help = "The Subscriptions at the site's EHR whose notifications come to /fhir/subscription/NAME."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["add", "list", "missing", "fetch", "on", "off", "remove"])
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("--kind", choices=Subscription.Kind.values, default=Subscription.Kind.BACKPORT)
        parser.add_argument("--secret-file", type=Path, help="file of the secret; without it one is made and printed")
        parser.add_argument("--header", default=_HEADER, help=f"header that carries the secret; default {_HEADER}")
        parser.add_argument("--hmac", action="store_true", help="the body is signed (X-Signature), no header is sent")
        parser.add_argument("--heartbeat", type=int, default=0, metavar="SECONDS", help="0: none is agreed")
        parser.add_argument("--server", default="", help="base URL of the sender, whose resources these are")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError: a bad, unknown or taken name, or an unusable secret.
        """
        match options["action"]:
            case "list":
                self._list(as_json=options["json"])
            case "add":
                self._add(options)
            case "fetch":
                for name, told in catch_up_all(clock=timezone.now).items():
                    self.stdout.write(f"{name}  {told}")
            case action:
                row = Subscription.objects.filter(name=options["name"]).first()
                if row is None:
                    raise CommandError("no subscription of this name is registered")
                self._change(row, action)

    def _add(self, options: dict[str, Any]) -> None:
        name, heartbeat = options["name"], options["heartbeat"]
        if not NAME.fullmatch(name):
            raise CommandError("a name has 1 to 40 letters, digits, dots, dashes or underscores")
        if Subscription.objects.filter(name=name).exists():
            raise CommandError(f"{name} is registered already; remove it first")
        if heartbeat < 0:
            raise CommandError("a heartbeat period is a number of seconds")
        secret = _secret(options["secret_file"])
        Subscription.objects.create(
            name=name,
            kind=options["kind"],
            header="" if options["hmac"] else options["header"],
            secret=seal_secret(name, secret),
            server=options["server"].rstrip("/"),
            heartbeat_s=heartbeat,
            created_at=timezone.now(),
        )
        self.stdout.write(f"endpoint {settings.CLINICAL_MACHINES_URL}/fhir/subscription/{name}")
        if options["secret_file"] is None:
            self.stdout.write(f"secret {secret}")

    def _list(self, *, as_json: bool) -> None:
        rows = watched(now=timezone.now())
        if as_json:
            self.stdout.write(json.dumps([asdict(row) for row in rows], default=str, indent=2))
            return
        for row in rows:
            heard = row.last_seen_at.isoformat(timespec="seconds") if row.last_seen_at else "never"
            counts = f"missing {row.missing}, to fetch {row.to_fetch}"
            self.stdout.write(f"{row.name}  {row.kind}  heard {heard}  {counts}  {', '.join(row.alarms) or 'well'}")

    def _change(self, row: Subscription, action: str) -> None:
        if action == "missing":
            state = SubscriptionEvent.State
            wanted = row.events.filter(state__in=(state.MISSING, state.TO_FETCH)).order_by("number")
            for event in wanted:
                self.stdout.write(f"{event.number}  {event.state}  {event.focus}")
        elif action == "remove":
            row.delete()
            self.stdout.write(f"{row.name} is removed; what it brought stays in the record")
        else:
            Subscription.objects.filter(name=row.name).update(is_on=action == "on")
            self.stdout.write(f"{row.name} is {action}")


def _secret(path: Path | None) -> str:
    """Return the secret of a file without the line's end, or a new one.

    Raises:
        CommandError: unreadable, or too short.
    """
    if path is None:
        return secrets.token_urlsafe(32)
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the secret cannot be read ({type(error).__name__})") from None
    if len(secret) < SHORTEST_SECRET:
        raise CommandError(f"a secret has at least {SHORTEST_SECRET} characters")
    return secret
