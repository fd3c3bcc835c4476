"""Print docs/settings.md: every setting with its default and meaning, taken from the configuration itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from appliance.config import ROOT, Config

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_PREFIX: Final = str(Config.model_config["env_prefix"])
_BOUNDS: Final = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
_INTRODUCTION: Final = """\
# Settings

Generated: `.venv/bin/python manage.py settings_table > docs/settings.md`. A test compares the two.

Every setting is an environment variable, read once when a process starts; a value that is out of range, or an
address that is not on the site, stops the start with a message. On site means: loopback, a private address, a Unix
socket, or a name ending in `.local`, `.internal` or `.lan`.
"""
_SECRETS: Final = """\

## Secrets

A secret is given as a variable or, better, as a file of the variable's name (any case) in the folder that systemd
names in `CREDENTIALS_DIRECTORY`. The embedded profile makes one that is not given and keeps it under `var/secrets/`,
readable by the owner only; the site profile does not start without all of them. Without `master_key` no record can
be read again: keep a copy apart from the machine.
"""


class Command(BaseCommand):
    """`manage.py settings_table`."""

    help = "Print docs/settings.md."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the page."""
        self.stdout.write(page(), ending="")


def page() -> str:
    """Return docs/settings.md."""
    fields = Config.model_fields.items()
    plain = [_row(name, field) for name, field in fields if not _is_secret(field)]
    secret = [f"| `{_variable(name)}` | {field.description} |" for name, field in fields if _is_secret(field)]
    head = ["| variable | default | meaning |", "| --- | --- | --- |"]
    lines = [_INTRODUCTION, *head, *plain, _SECRETS, "| variable | meaning |", "| --- | --- |", *secret]
    return "\n".join(lines) + "\n"


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in getattr(field.annotation, "__args__", (field.annotation,))


def _row(name: str, field: FieldInfo) -> str:
    meaning = "; ".join([field.description or "", *_bounds(field)])
    return f"| `{_variable(name)}` | {_default(field.default)} | {meaning} |"


def _bounds(field: FieldInfo) -> list[str]:
    return [
        f"{words} {getattr(rule, bound):g}"
        for bound, words in _BOUNDS
        for rule in field.metadata
        if getattr(rule, bound, None) is not None
    ]


def _default(value: object) -> str:
    """Return a default as an operator would type it; paths relative to the checkout."""
    if value in (None, "", PydanticUndefined):
        return "none"
    if isinstance(value, Path):
        value = value.relative_to(ROOT)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
