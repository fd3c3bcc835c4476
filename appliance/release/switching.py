"""From one release to the next and back: migrate, flip one link, restart, ask whether it is well.

    <root>/releases/<version>/    made by the installation
    <root>/current                the release that serves, a link

Every step is written down before it is taken. A failure, or being killed at any step, ends with the former release
serving, under its own units: an interrupted switch is always taken back, never guessed at. Migrations therefore leave
the record usable by the former release.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final, Literal

from appliance.release import journal
from appliance.release.journal import Commands, Step, Switch
from appliance.release.staging import RELEASES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.release.machine import Machine

Outcome = Literal["switched", "unchanged", "rolled back", "not rolled back", "nothing pending", "nothing to go back to"]
_STEPS: Final[tuple[Step, ...]] = ("migrate", "flip", "restart", "health")
_HEALTH_EVERY_S: Final = 1.0
_COMMAND_S: Final = 1800.0  # longest that one command may take
_READ_AGAIN: Final = "systemctl daemon-reload"


class SwitchError(Exception):
    """A switch cannot begin; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Switcher:
    """Switches releases below `root`, keeping its journal in `state`; `health_s` is how long to wait to be well.

    `machine` holds the units and settings that each release was installed with, None where there are none.
    """

    root: Path
    state: Path
    say: Callable[[str], None]
    health_s: float = 120.0
    machine: Machine | None = None

    def switch(self, version: str, commands: Commands) -> Outcome:
        """Let another release serve; the former one again when anything fails.

        Raises:
            SwitchError: no such release, or another switch is going on.
        """
        with self._alone():
            if journal.read(self.state, journal.PENDING) is not None:
                self._take_back(units=False)  # those that lie there now were written for this switch
            if self.current() == version:
                return "unchanged"
            if not (self.root / RELEASES / version).is_dir():
                raise SwitchError(f"{self.root}/{RELEASES}/{version} is not there")
            return self._go(Switch(self.current(), version, "migrate", commands))

    def rollback(self) -> Outcome:
        """Let the former release serve again, with the commands of the last switch, but without migrating."""
        with self._alone():
            if journal.read(self.state, journal.PENDING) is not None:
                return self._take_back()
            last = journal.read(self.state, journal.LAST)
            if last is None or not last.former or not (self.root / RELEASES / last.former).is_dir():
                return "nothing to go back to"
            commands = replace(last.commands, migrate="")
            if self.machine is not None:
                self.machine.keep(self.current(), anew=True)
            if self._go(Switch(self.current(), last.former, "migrate", commands), back=True) != "switched":
                return "not rolled back"
            # Going back once more would go forward: to the release that was just left.
            journal.write(self.state, journal.LAST, Switch("", last.former, "health", commands))
            return "rolled back"

    def resume(self, *, at_boot: bool = False) -> Outcome:
        """Take back a switch that was interrupted; at boot also the files of an installation that was.

        Args:
            at_boot: nothing is running yet, so nothing is restarted.
        """
        with self._alone():
            if journal.read(self.state, journal.PENDING) is None:
                if at_boot and self.machine is not None and self.machine.half_installed:
                    self._own_units(self.current())
                return "nothing pending"
            return self._take_back(restart=not at_boot)

    def current(self) -> str:
        """Return the version that serves, or nothing."""
        link = self.root / "current"
        return link.readlink().name if link.is_symlink() else ""

    def _go(self, switch: Switch, *, back: bool = False) -> Outcome:
        for step in _STEPS:
            switch = replace(switch, step=step)
            journal.write(self.state, journal.PENDING, switch)
            self.say(f"{step}: {switch.former or 'none'} -> {switch.to}")
            if back and step == "flip":
                self._own_units(switch.to)
            if not self._carried_out(switch):
                self.say(f"{step} failed")
                return self._take_back()
        journal.write(self.state, journal.LAST, switch)
        journal.clear(self.state, journal.PENDING)
        return "switched"

    def _carried_out(self, switch: Switch) -> bool:
        match switch.step:
            case "migrate":
                return self._ran(switch.commands.migrate, switch.to)
            case "flip":
                self._flip(switch.to)
                return True
            case "restart":
                return self._ran(switch.commands.restart, switch.to)
            case "health":
                return self._is_well(switch)

    def _is_well(self, switch: Switch) -> bool:
        deadline = time.monotonic() + self.health_s
        while not self._ran(switch.commands.health, switch.to):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_HEALTH_EVERY_S)
        return True

    def _take_back(self, *, restart: bool = True, units: bool = True) -> Outcome:
        """Let the former release serve; safe to be interrupted and run again."""
        pending = journal.read(self.state, journal.PENDING)
        if pending is None:
            return "nothing pending"
        other_units = units and self._own_units(pending.former)
        flipped = pending.step != "migrate"
        if flipped:
            self._flip(pending.former)
        if (flipped or other_units) and restart and pending.former:
            self._start_again(pending)
        journal.clear(self.state, journal.PENDING)
        return "rolled back"

    def _start_again(self, pending: Switch) -> None:
        if not self._ran(pending.commands.restart, pending.former):
            self.say(f"{pending.former} is current again but did not restart: look at its units")

    def _own_units(self, version: str) -> bool:
        """Put back the units that a release was installed with; returns whether others lay there."""
        if self.machine is None or not self.machine.put_back(version):
            return False
        self.say(f"units and settings are those of {version} again")
        self._ran(_READ_AGAIN, version)
        return True

    def _flip(self, version: str) -> None:
        link, partial = self.root / "current", self.root / ".current.partial"
        if not version:
            link.unlink(missing_ok=True)
            return
        partial.unlink(missing_ok=True)
        partial.symlink_to(f"{RELEASES}/{version}")
        partial.replace(link)
        handle = os.open(self.root, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _ran(self, command: str, version: str) -> bool:
        words = [
            word.replace("{version}", version).replace("{release}", str(self.root / RELEASES / version))
            for word in shlex.split(command)
        ]
        if not words:
            return True
        try:
            return subprocess.run(words, cwd="/", check=False, timeout=_COMMAND_S).returncode == 0
        except (OSError, subprocess.TimeoutExpired) as error:
            self.say(f"{words[0]}: {type(error).__name__}")
            return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.state / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SwitchError("another switch is going on") from None
            yield
