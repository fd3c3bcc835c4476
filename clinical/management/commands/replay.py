"""Make a saved answer again and say whether draft and gate come out the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.answering.replay import Found, NotReplayableError, replay, target_of
from clinical.domain.access import AccessDeniedError
from clinical.domain.visible import escaped_in_json, visible
from clinical.management.commands.ask import REFUSED, check_profile, record_command

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from clinical.answering.replay import Replay

_WELL = frozenset({Found.EQUAL, Found.NO_DRAFT, Found.ERASED})


class Command(BaseCommand):
    """`manage.py replay AUDIT_ID|QUESTION_ID [--as USER] [--show] [--json]`."""

    help = (
        "Rebuild prompt and passages of a saved answer by version, call the model again, compare. Exit code 1 if not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("id", type=UUID, help="of a row of the trail (`audit_id` of an answer), or of a question")
        parser.add_argument("--as", dest="user", default="", help="login name to act as; default: who asked")
        parser.add_argument("--show", action="store_true", help="print prompt and drafts too; they hold patient text")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--break-glass", default="", help="reason; needed on a site")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Replay and print."""
        check_profile(options["break_glass"])
        try:
            target = target_of(options["id"])
            user = User.objects.filter(username=options["user"] or target.user_id).first()
            record_command("replay", target.patient_id, user.username if user else "", options["break_glass"])
            found = replay(target, user, now=timezone.now())
        except NotReplayableError as error:
            raise CommandError(f"cannot be replayed: {error.reason}") from None
        except AccessDeniedError as denial:
            message = f"refused: {denial.reason} (audit row {denial.audit_id})"
            raise CommandError(message, returncode=REFUSED) from None
        shown = found.as_json() | ({"words": found.words} if options["show"] else {})
        encoded = json.dumps(shown, ensure_ascii=False, indent=2)
        self.stdout.write(escaped_in_json(encoded) if options["json"] else _plain(found, show=options["show"]))
        if not {found.draft, found.gate} <= _WELL:
            raise CommandError(f"draft: {found.draft}, gate: {found.gate}", returncode=1)


def _plain(found: Replay, *, show: bool) -> str:
    lines = [f"{name}: {value}" for name, value in (("draft", found.draft), ("gate", found.gate))]
    lines.append(f"prompt: {found.prompt}, passages: {found.passages} used, {len(found.passages_changed)} changed")
    lines += [
        f"{name}: {found.then[name]}" + ("" if found.now[name] == found.then[name] else f", now {found.now[name]}")
        for name in found.then
    ]
    if show:
        lines += [f"{name}: {json.dumps(words, ensure_ascii=False)}" for name, words in found.words.items()]
    return "\n".join(map(visible, lines))
