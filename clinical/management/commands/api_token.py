"""Make, list and revoke tokens of the API."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.api import tokens
from clinical.domain.visible import visible
from clinical.models import ApiToken

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py api_token make --user NAME --scope ask --label WHY [--days N] | list | revoke ID`."""

    help = "Tokens by which programs call the API in a user's name. A new one is printed once and kept as a digest."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make", help="make one and print it")
        make.add_argument("--user", required=True, help="login name in whose name it calls")
        make.add_argument("--scope", action="append", required=True, choices=tokens.SCOPES, help="may be given again")
        make.add_argument("--label", required=True, help="what it is for, without any patient's details")
        make.add_argument("--days", type=int, default=30, help="how long it is good (default 30)")
        listed = actions.add_parser("list", help="list all, without their secrets")
        revoke = actions.add_parser("revoke", help="end one now")
        revoke.add_argument("id", type=UUID)
        for one in (make, listed, revoke):
            one.add_argument("--json", action="store_true", help="print as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it and print what came of it.

        Raises:
            CommandError: no such user or token, or a scope, life or label that is not allowed.
        """
        by, now = f"os:{getpass.getuser()}", timezone.now()
        try:
            match options["action"]:
                case "make":
                    self._made(options, by)
                case "revoke":
                    self._say([_shape(tokens.revoke(options["id"], by=by, now=now))], as_json=options["json"])
                case _:
                    rows = ApiToken.objects.select_related("user").order_by("made_at")
                    self._say([_shape(row) for row in rows], as_json=options["json"])
        except tokens.TokenRequestError as error:
            raise CommandError(error.reason) from None

    def _made(self, options: dict[str, Any], by: str) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"no user {options['user']!r}")
        life = timedelta(days=min(max(options["days"], 0), 10**6))
        wanted = tokens.Wanted(user, options["scope"], options["label"], life)
        token, row = tokens.make(wanted, made_by=by, now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(_shape(row) | {"token": token}))
            return
        self.stderr.write(f"{row.id}, until {row.expires_at:%Y-%m-%d %H:%M %Z}; shown this once:")
        self.stdout.write(token)

    def _say(self, shapes: list[dict[str, Any]], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(shapes))
            return
        for one in shapes:
            state = f"revoked {one['revoked_at']}" if one["revoked_at"] else f"until {one['expires_at']}"
            self.stdout.write(
                visible(f"{one['id']}  {one['user']}  {','.join(one['scopes'])}  {state}  {one['label']}")
            )


def _shape(row: ApiToken) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "user": row.user.get_username(),
        "label": row.label,
        "scopes": row.scopes,
        "made_by": row.made_by,
        "made_at": row.made_at.isoformat(timespec="seconds"),
        "expires_at": row.expires_at.isoformat(timespec="seconds"),
        "revoked_at": row.revoked_at.isoformat(timespec="seconds") if row.revoked_at else None,
    }
