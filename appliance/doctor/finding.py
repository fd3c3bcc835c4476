"""What a check found: one line for a person, with the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from appliance.config import ROOT

if TYPE_CHECKING:
    from datetime import datetime

    from appliance.config import Config

_UNITS: Final = {
    "redis": "appliance-redis",
    "vectors": "appliance-vectors",
    "vllm": "appliance-vllm",
    "worker": "appliance-worker",
    "database": "appliance-postgresql",
}


class State(StrEnum):
    """How it stands."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `words` hold names, counts and ages, never patient text; `mend` is "" where nothing is to be done."""

    name: str
    state: State
    words: str
    mend: str = ""


def right(name: str, words: str) -> Finding:
    """Return a line that is as it should be."""
    return Finding(name, State.RIGHT, words)


def wrong(name: str, words: str, mend: str) -> Finding:
    """Return a line that is wrong, with what mends it."""
    return Finding(name, State.WRONG, words, mend)


def not_checked(name: str, words: str) -> Finding:
    """Return a line that could not be looked at, with why."""
    return Finding(name, State.NOT_CHECKED, words)


@dataclass(frozen=True, slots=True)
class Look:
    """What the checks look at: this installation's settings, and the time (timezone-aware)."""

    settings: Config
    now: datetime

    @property
    def site(self) -> bool:
        """Whether this is a site."""
        return self.settings.profile == "site"

    def manage(self, words: str) -> str:
        """Return a management command as it is typed here."""
        return f"appliance-manage {words}" if self.site else f"{ROOT / '.venv/bin/python'} manage.py {words}"

    def start(self, service: str) -> str:
        """Return what starts a service of this installation."""
        if not self.site:
            return "make demo"
        unit = _UNITS[service]
        return f"systemctl restart {unit}  (why it stopped: journalctl --unit {unit} --lines 50)"


def age(seconds: float) -> str:
    """Return a time span in the largest unit that leaves a number above one, rounded down."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} seconds"
