"""Approve rows of a clinical table for this site, or withdraw the approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.knowledge.approvals import ApprovalRefusedError, Approver, approve, withdraw
from clinical.knowledge.tables import UnknownTableError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_WHY = {
    "profession": "only a pharmacist or physician of the site may approve",
    "no-name": "give the name of who approves with --by",
    "no-row": "give --row ROW, or --all",
    "unknown-table": "no such table; `manage.py sources` lists them",
    "unknown-row": "the table has no such row",
}


class Command(BaseCommand):
    """`manage.py approve --table T (--row R ... | --all) --by NAME --profession P --as USER [--withdraw]`."""

    help = "Approve rows of a clinical table as they stand; a row that changes is unapproved again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--table", required=True, help="name of the table, as `manage.py sources` lists it")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--row", action="append", help="id of a row; may be given several times")
        which.add_argument("--all", action="store_true", help="every row of the table")
        parser.add_argument("--by", required=True, help="name of the person who approves")
        parser.add_argument("--profession", required=True, help="pharmacist or physician")
        parser.add_argument("--as", dest="user", required=True, help="login name to act as")
        parser.add_argument("--withdraw", action="store_true", help="withdraw the approval instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Approve or withdraw, and say how many rows it was."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"no active user {options['user']!r}")
        approver = Approver(options["by"], options["profession"], user.username)
        rows = None if options["all"] else options["row"]
        act = withdraw if options["withdraw"] else approve
        try:
            changed = act(options["table"], rows, approver, now=timezone.now())
        except (ApprovalRefusedError, UnknownTableError) as refusal:
            raise CommandError(_WHY[refusal.reason]) from None
        done = "Withdrew the approval of" if options["withdraw"] else "Approved"
        self.stdout.write(f"{done} {changed} row{'' if changed == 1 else 's'} of {options['table']}.")
