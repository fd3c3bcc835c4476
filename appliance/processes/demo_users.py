"""The users of the synthetic clinic, one of each role."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import Group, User

from clinical.domain.access import Role

if TYPE_CHECKING:
    from pathlib import Path

DEMO_USERS: Final = {
    "demo-clinician": Role.CLINICIAN,
    "demo-privacy": Role.PRIVACY,
    "demo-operator": Role.OPERATOR,
    "demo-lead": Role.LEAD,
}


def demo_password(folder: Path) -> str:
    """Return the demo's password, made at random once and kept in `demo_password` (0600)."""
    path = folder / "demo_password"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(12))
    return path.read_text().strip()


def ensure_demo_users(password: str) -> None:
    """Create the users where missing, give each its role, and make the password the one printed."""
    for username, role in DEMO_USERS.items():
        user, _created = User.objects.get_or_create(username=username)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        group, _created = Group.objects.get_or_create(name=role.value)
        user.groups.set([group])
