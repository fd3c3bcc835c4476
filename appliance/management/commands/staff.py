"""Who may log in, and as what: a site begins with nobody."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clinical.domain.access import Role

if TYPE_CHECKING:
    from argparse import ArgumentParser

_PASSWORD_BYTES: Final = 12


class Command(BaseCommand):
    """`manage.py staff add NAME --role ROLE`, `staff password NAME`, `staff remove NAME`, `staff list`."""

    help = "Add, list and lock out the people who log in; a new password is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("what", choices=("add", "password", "remove", "list"))
        parser.add_argument("name", nargs="?", default="", help="login name, as audit rows will show it")
        parser.add_argument("--role", choices=[role.value for role in Role], help="what the person is to the site")
        parser.add_argument("--password-stdin", action="store_true", help="take the password from standard input")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError: the name is missing, taken or unknown, no role is given, or the password is too weak.
        """
        if options["what"] == "list":
            for user in User.objects.order_by("username").prefetch_related("groups"):
                roles = ", ".join(sorted(group.name for group in user.groups.all())) or "no role"
                self.stdout.write(f"{user.username}  {roles}{'' if user.is_active else '  (locked out)'}")
            return
        name = options["name"]
        if not name:
            raise CommandError("name the person: staff add NAME --role clinician")
        if options["what"] == "add":
            self._add(name, options["role"], stdin=options["password_stdin"])
        elif options["what"] == "password":
            self._give(_person(name), stdin=options["password_stdin"])
        else:
            # Kept, not deleted: the trail names the person for six years.
            user = _person(name)
            user.is_active = False
            user.set_unusable_password()
            user.save(update_fields=["is_active", "password"])
            self.stdout.write(f"{name} can no longer log in")

    def _add(self, name: str, role: str | None, *, stdin: bool) -> None:
        if role is None:
            raise CommandError(f"say what {name} is: --role {'|'.join(one.value for one in Role)}")
        with transaction.atomic():
            user, made = User.objects.get_or_create(username=name)
            if not made:
                raise CommandError(f"{name} is there already; another password: staff password {name}")
            user.groups.set([Group.objects.get_or_create(name=role)[0]])
            self._give(user, stdin=stdin)

    def _give(self, user: User, *, stdin: bool) -> None:
        given = sys.stdin.readline().rstrip("\n") if stdin else secrets.token_urlsafe(_PASSWORD_BYTES)
        try:
            validate_password(given, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        user.set_password(given)
        user.is_active = True
        user.save(update_fields=["password", "is_active"])
        if not stdin:
            self.stdout.write(given)


def _person(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(f"nobody is named {name}; see staff list") from None
