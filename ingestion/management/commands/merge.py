"""List merges of patient records, or undo one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import Role
from clinical.models import PatientMerge
from clinical.record.merging import UNMERGE, MergeError, undo

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_REASON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,./-]{1,63}")


class Command(BaseCommand):
    """`manage.py merge`, `manage.py merge --undo ID --as USER --reason WORDS`."""

    help = "List the merges of patient records that messages have asked for; --undo parts one again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--undo", metavar="ID", type=int, help="the merge to undo")
        parser.add_argument("--as", dest="user", default="", help="login name of who undoes it")
        parser.add_argument("--reason", default="", help="a code or short words that name nobody")

    def handle(self, *_args: Any, **options: Any) -> None:
        """List or undo.

        Raises:
            CommandError: no such merge, refused, or it cannot be undone now; the message says why.
        """
        if options["undo"] is not None:
            self._undo(options)
            return
        for row in PatientMerge.objects.order_by("merged_at"):
            ended = f"; undone {row.undone_at:%d-%b-%Y %H:%M} by {row.undone_by}" if row.undone_at else ""
            self.stdout.write(
                f"{row.id:>5}  {row.merged_at:%d-%b-%Y %H:%M}  {row.merged_id} into {row.survivor_id}, "
                f"{len(row.moved['versions'])} versions, by {row.by}{ended}"
            )

    def _undo(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"no user {options['user']!r}; name one with --as")
        if not _REASON.fullmatch(options["reason"]):
            raise CommandError("--reason needs a code or short words, letters and digits only")
        record = PatientMerge.objects.filter(pk=options["undo"]).first()
        if record is None:
            raise CommandError("no such merge; `manage.py merge` lists them")
        if not roles_of(user) & {Role.PRIVACY, Role.OPERATOR}:
            entry = trail.Entry(
                UNMERGE, "DENIED", user.username, patient_id=str(record.survivor_id), detail={"merge": record.id}
            )
            trail.append(entry, now=timezone.now())
            raise CommandError("refused: parting records is the privacy officer's or the operator's")
        try:
            undo(record, by=user.username, reason=options["reason"], now=timezone.now())
        except MergeError as error:
            raise CommandError(f"not undone: {error.reason}") from None
        self.stdout.write(f"{record.merged_id} and {record.survivor_id} are apart again; the index follows")
